/*
 * What a message with one small file costs the gateway, in CPU, beside another checkout of it:
 *
 * npm run bench:attachment -- ../other-checkout [--bytes 4096] [--messages 400] [--rounds 6]
 *
 * Each runs in the embedded mode, in its own process and on its own database. Rounds alternate and ratios are
 * taken pair by pair, so that a drift of the machine's speed does not matter.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { asOperator } from '../support/gateway.ts';
import { nodeOptions } from '../support/node-options.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    bytes: { type: 'string', default: '4096' },
    messages: { type: 'string', default: '400' },
    rounds: { type: 'string', default: '6' },
  },
});
const [other] = positionals;
if (other === undefined) throw new Error('Say which checkout to compare with');
const [bytes, messages, rounds] = [Number(values.bytes), Number(values.messages), Number(values.rounds)];
const callers = 4;
/** Of /proc/pid/stat, Linux's own and everywhere a hundredth of a second. */
const msPerTick = 10;

interface Gateway {
  readonly child: ChildProcess;
  readonly url: URL;
  readonly agent: Agent;
}

async function start(checkout: string, dataDir: string): Promise<Gateway> {
  const child = spawn(process.execPath, [...nodeOptions, join(resolve(checkout), 'src/main.ts')], {
    cwd: resolve(checkout),
    env: { PATH: process.env.PATH, PORT: '0', DATA_DIR: dataDir, LOG_LEVEL: 'warn', ROLES: 'web' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface(child.stdout)) {
    const url = /^Ticketwire is listening on (\S+)$/.exec(line)?.[1];
    if (url) {
      child.stdout.resume();
      return { child, url: new URL(url), agent: new Agent({ keepAlive: true, maxSockets: callers }) };
    }
  }
  throw new Error(`${checkout} does not start`);
}

const boundary = 'bench-0123456789';
const operations = {
  query: `mutation ($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) { __typename ... on UserError { message } }
  }`,
  variables: {
    input: { ticket: { ticketId: 47 }, body: 'A message with a file', attachments: [{ file: null }] },
  },
};
const form = Buffer.concat([
  ...[
    ['name="operations"', JSON.stringify(operations)],
    ['name="map"', '{"0":["variables.input.attachments.0.file"]}'],
    ['name="0"; filename="file.bin"\r\nContent-Type: application/octet-stream', randomBytes(bytes)],
  ].flatMap(([headers, body]) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${headers}\r\n\r\n`),
    Buffer.from(body as string),
    Buffer.from('\r\n'),
  ]),
  Buffer.from(`--${boundary}--\r\n`),
]);

async function post({ url, agent }: Gateway): Promise<void> {
  const outgoing = request({
    ...{ host: url.hostname, port: url.port, path: '/graphql', method: 'POST', agent },
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': form.length,
      'graphql-preflight': '1',
      authorization: asOperator,
    },
  });
  outgoing.end(form);
  const [response] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  if (!text.includes('AddTicketMessagePayload')) throw new Error(`not added: ${text}`);
}

function cpuMs({ child }: Gateway): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

async function cpuOfMessages(gateway: Gateway, count: number): Promise<number> {
  const before = cpuMs(gateway);
  let left = count;
  const caller = async () => {
    while (left-- > 0) await post(gateway);
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return (cpuMs(gateway) - before) / count;
}

const median = (list: readonly number[]) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)]!;
const directory = await mkdtemp(join(tmpdir(), 'ticketwire-bench-'));
const gateways: Gateway[] = [];
try {
  for (const [n, checkout] of ['.', other].entries())
    gateways.push(await start(checkout, join(directory, String(n))));
  for (const gateway of gateways) await cpuOfMessages(gateway, messages);
  const ratios: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const [here, there] = [
      await cpuOfMessages(gateways[0]!, messages),
      await cpuOfMessages(gateways[1]!, messages),
    ];
    ratios.push(here / there);
    process.stdout.write(
      `round ${round}: ${here.toFixed(2)} ms here, ${there.toFixed(2)} ms there, ` +
        `${(here / there).toFixed(2)} x\n`,
    );
  }
  process.stdout.write(`CPU of a message with a file of ${bytes} bytes: ${median(ratios).toFixed(2)} x\n`);
} finally {
  for (const { child } of gateways) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
  await rm(directory, { recursive: true, force: true });
}
