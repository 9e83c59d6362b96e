import { readFile } from 'node:fs/promises';
import type { Recorded } from '../../legacy/recorder/differences.ts';
import { type Recording, readRecording } from '../../legacy/recorder/recording-file.ts';
import { type LooseCommand, type Output, one, type Terminal, UsageError, type Values } from '../command.ts';
import { type Outcome, type Target, tryCall } from './legacy-replay.ts';

const defaultUrl = 'http://127.0.0.1:4000';
/** Calls between two lines of progress, where there is no terminal to tell every call to. */
const tellEvery = 100;

const replay: LooseCommand = {
  name: 'legacy replay',
  arguments: ['FILE'],
  summary: 'Send recorded requests of the old endpoint and print what differs',
  details: [
    '',
    'FILE is a HAR, as browsers and proxies record it; of its requests those under /api are sent. Or it is a JSON list, or one call a',
    'line: {"id", "method", "path", "headers", "body" or "bodyBase64", "chunked", "expect": {"status", "contentType", "headers",',
    '"body"}}. Every call is real and writes its message: send them to a desk that you can do without. Ids of messages, dates and',
    'what names the server are not compared.',
    '',
    'Exit code: 0 nothing differs, 1 something does, 2 it could not be tried (the file is no recording, nobody answers).',
  ].join('\n'),
  options: {
    url: { type: 'string', value: 'ADDRESS', help: `where to send them (${defaultUrl})` },
    user: {
      type: 'string',
      value: 'LOGIN:PASSWORD',
      help: 'credential of the calls that were recorded without theirs',
    },
    host: { type: 'string', value: 'NAME', help: 'the Host to call by, when recorded answers repeat it' },
  },
  example: 'legacy replay traffic.har --url http://127.0.0.1:4000',
  async runLoose({ stderr }, [file], values): Promise<Output> {
    const target = targetOf(values);
    const { calls, leftOut } = await read(file!);
    const outcomes = await sendAll(calls, target, stderr);
    return report(outcomes, target, leftOut);
  },
};
export const legacyCommands = [replay];

function targetOf(values: Values): Target {
  const address = one(values, 'url') ?? defaultUrl;
  const user = one(values, 'user');
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address))
    throw new UsageError(`--url must be http://… or https://…, not ${address}`);
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
  target: Target,
  out: Terminal['stderr'],
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  let differing = 0;
  for (const call of calls) {
    const outcome = await tryCall(call, target);
    outcomes.push(outcome);
    if (outcome.differences.length > 0) differing++;
    const sent = outcomes.length;
    const line = `${sent} of ${calls.length} sent, ${differing} answered otherwise`;
    if (out.isTTY) out.write(`\r${line}${sent === calls.length ? '\n' : ''}`);
    else if (sent % tellEvery === 0 && sent < calls.length) out.write(`${line}\n`);
  }
  return outcomes;
}

function report(outcomes: readonly Outcome[], { url }: Target, leftOut: number): Output {
  const differing = outcomes.filter(({ differences }) => differences.length > 0);
  const summary =
    `${outcomes.length} calls sent to ${url.href}, ${differing.length || 'none'} answered otherwise` +
    (leftOut > 0 ? `; ${leftOut} other requests of the recording left out` : '');
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
