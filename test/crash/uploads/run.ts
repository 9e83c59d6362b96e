/*
 * Thousands of small files on a machine that is busy with something else: each digest that is answered must
 * be its sender's, and each file must lie in the store as its row says.
 *
 *   npm run test:uploads [-- --files 20000] [--busy 4]
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { asOperator } from '../../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { between, seeded } from '../support/random.ts';

const filesAMessage = 10;
const callers = 8;
const boundary = 'b-0123456789abcdef';
const cli = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const noise = randomBytes(1024 * 1024);

const query = `mutation ($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    __typename
    ... on AddTicketMessagePayload { ticketMessage { attachments { byteSize sha256 } } }
    ... on UserError { code message }
  }
}`;
const part = (headers: string, body: string | Buffer) => [
  Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${headers}\r\n\r\n`),
  Buffer.from(body as string),
  Buffer.from('\r\n'),
];
const operations = {
  query,
  variables: {
    input: {
      ticket: { ticketId: 47 },
      body: 'Many small files',
      attachments: Array.from({ length: filesAMessage }, () => ({ file: null })),
    },
  },
};
const map = Object.fromEntries(
  Array.from({ length: filesAMessage }, (_, n) => [n, [`variables.input.attachments.${n}.file`]]),
);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { files: { type: 'string' }, busy: { type: 'string' } } });
  const messages = Math.ceil(Number(values.files ?? 20_000) / filesAMessage);
  const busy = Array.from({ length: Number(values.busy ?? 4) }, keepBusy);
  const dataDir = await mkdtemp(join(tmpdir(), 'ticketwire-uploads-'));
  try {
    const wrong = await run(dataDir, messages);
    process.stdout.write(`${messages * filesAMessage} files: ${wrong} wrong, in an answer or in the store\n`);
    return wrong === 0 ? 0 : 1;
  } finally {
    for (const child of busy) child.kill('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function run(dataDir: string, messages: number): Promise<number> {
  await using gateway = await startGatewayProcess({ DATA_DIR: dataDir, ROLES: 'web' });
  const agent = new Agent({ keepAlive: true, maxSockets: callers });
  const random = seeded(1);
  let [left, wrong] = [messages, 0];
  const caller = async () => {
    while (left-- > 0) {
      // Mostly a few kilobytes; some are nothing, some fill many pieces.
      const sizes = Array.from({ length: filesAMessage }, () =>
        random() < 0.9 ? between(random, 0, 8192) : between(random, 0, 300_000),
      );
      wrong += await send(gateway, agent, sizes.map(fileOf(random)));
      if (left % 200 === 0) process.stdout.write(`${left} messages left, ${wrong} files wrong\n`);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  agent.destroy();
  return wrong + (await damaged(dataDir));
}

const fileOf = (random: () => number) => (size: number) => {
  const at = between(random, 0, noise.length - size);
  return noise.subarray(at, at + size);
};

/** @returns how many of the files were answered with another digest or size */
async function send(gateway: GatewayProcess, agent: Agent, files: readonly Buffer[]): Promise<number> {
  const form = Buffer.concat([
    ...part('name="operations"', JSON.stringify(operations)),
    ...part('name="map"', JSON.stringify(map)),
    ...files.flatMap((bytes, n) => part(`name="${n}"; filename="${n}.bin"`, bytes)),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
  const outgoing = request(`${gateway.url}/graphql`, {
    agent,
    method: 'POST',
    headers: {
      authorization: asOperator,
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': form.length,
      'graphql-preflight': '1',
    },
  });
  outgoing.end(form);
  const [response] = await once(outgoing, 'response');
  const answer = JSON.parse(await text(response));
  const stored = answer.data?.addTicketMessage?.ticketMessage?.attachments;
  if (stored === undefined) throw new Error(`not added: ${JSON.stringify(answer)}`);
  return files.filter(
    (bytes, n) =>
      stored[n].byteSize !== bytes.length ||
      stored[n].sha256 !== createHash('sha256').update(bytes).digest('hex'),
  ).length;
}

/** Reads every file back, by the command that operators have for it. */
async function damaged(dataDir: string): Promise<number> {
  const child = spawn(process.execPath, [cli, 'blobs', 'verify', '--json'], {
    env: { ...process.env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = JSON.parse(await text(child.stdout));
  process.stdout.write(`read back: ${JSON.stringify(output)}\n`);
  return output.damaged.length;
}

const keepBusy = (): ChildProcess => spawn(process.execPath, ['--eval', 'for (;;);'], { stdio: 'ignore' });

process.exitCode = await main();
