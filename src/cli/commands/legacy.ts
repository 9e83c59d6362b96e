import { readFile } from 'node:fs/promises';
import type { Recorded } from '../../legacy/recorder/compare-responses.ts';
import { type Recording, readRecording } from '../../legacy/recorder/read-recording.ts';
import {
  type Environment,
  type LooseCommand,
  type OptionValues,
  type Output,
  one,
  type Terminal,
  UsageError,
} from '../command.ts';
import { localUrl, localUrlHelp } from '../gateway/local-url.ts';
import { count } from '../output.ts';
import { type ReplayOutcome, type ReplayTarget, replayCall } from './replay-call.ts';

/** Calls between two lines of progress where stderr is not a terminal. */
const tellEvery = 100;

const replay: LooseCommand = {
  name: 'legacy replay',
  arguments: ['FILE'],
  summary: 'Send recorded requests of the old endpoint and print what differs',
  details: [
    '',
    'FILE is a HAR, as browsers and proxies record it (its requests under /api are sent), a JSON list of',
    'calls, or one call per line: {"id", "method", "path", "headers", "body" or "bodyBase64", "chunked",',
    '"expect": {"status", "contentType", "headers", "body"}}.',
    'Every call is real and writes its message: do not send them to a production desk. Ids of messages,',
    'dates and headers that name the server are not compared.',
    '',
    'Exit code: 0 no differences, 1 differences, 2 not a recording, or the server does not answer.',
  ].join('\n'),
  options: {
    url: { type: 'string', value: 'ADDRESS', help: `address of the gateway (default ${localUrlHelp})` },
    user: {
      type: 'string',
      value: 'LOGIN:PASSWORD',
      help: 'credential for calls that were recorded without one',
    },
    host: { type: 'string', value: 'NAME', help: 'Host header to send, if recorded responses repeat it' },
  },
  example: 'legacy replay traffic.har --url http://127.0.0.1:4000',
  async runLoose({ stderr, env }, [file], values): Promise<Output> {
    const target = targetOf(values, env);
    const { calls, leftOut } = await read(file!);
    const outcomes = await sendAll(calls, target, stderr);
    return report(outcomes, target, leftOut);
  },
};
/**
 * The command `legacy replay FILE`: sends recorded requests of the old endpoint to a running gateway, one
 * after another, and prints how the responses differ from the recorded ones. Exits with 0 without
 * differences, 1 with some, and 2 when the file is no recording or no request was answered.
 */
export const legacyCommands = [replay];

function targetOf(values: OptionValues, env: Environment): ReplayTarget {
  const address = one(values, 'url') ?? localUrl(env);
  const user = one(values, 'user');
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new UsageError('--url must be http://… or https://…');
  if (user !== undefined && !user.includes(':')) throw new UsageError('--user must be login:password');
  return {
    url: new URL(address),
    authorization: user && `Basic ${Buffer.from(user).toString('base64')}`,
    host: one(values, 'host'),
  };
}

async function read(file: string): Promise<Recording> {
  try {
    return readRecording(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

async function sendAll(
  calls: readonly Recorded[],
  target: ReplayTarget,
  out: Terminal['stderr'],
): Promise<ReplayOutcome[]> {
  const outcomes: ReplayOutcome[] = [];
  let differing = 0;
  for (const call of calls) {
    const outcome = await replayCall(call, target);
    outcomes.push(outcome);
    if (outcome.differences.length > 0) differing++;
    const sent = outcomes.length;
    const line = `${sent} of ${calls.length} sent, ${howManyDiffer(differing)}`;
    if (out.isTTY) out.write(`\r${line}${sent === calls.length ? '\n' : ''}`);
    else if (sent % tellEvery === 0 && sent < calls.length) out.write(`${line}\n`);
  }
  return outcomes;
}

const howManyDiffer = (many: number): string => (many === 1 ? '1 differs' : `${many || 'none'} differ`);

function report(outcomes: readonly ReplayOutcome[], { url }: ReplayTarget, leftOut: number): Output {
  const differing = outcomes.filter(({ differences }) => differences.length > 0);
  const summary =
    `${count(outcomes.length, 'call')} sent to ${url.href}, ${howManyDiffer(differing.length)}` +
    (leftOut > 0
      ? `; ${count(leftOut, 'other request')} in the recording ${leftOut === 1 ? 'was' : 'were'} skipped`
      : '');
  const lines = differing.flatMap(({ name, differences }) => [
    name,
    ...differences.map((line) => `  ${line}`),
  ]);
  const unanswered = outcomes.filter(({ answered }) => !answered).length;
  return {
    json: { url: url.href, sent: outcomes.length, leftOut, unanswered, differing },
    text: [...lines, summary].join('\n'),
    exitCode: unanswered === outcomes.length ? 2 : differing.length > 0 ? 1 : 0,
  };
}
