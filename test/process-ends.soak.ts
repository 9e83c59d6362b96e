import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Clock: the process takes a signal for the one before within a second of that.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess } from './crash/support/gateway-process.ts';
import { openTcpDoor, type TcpDoor } from './crash/support/tcp-door.ts';
import { halfSent } from './http/half-sent.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';
import { startGateway } from './support/gateway.ts';
import { startSmtpSink } from './support/servers/smtp-sink.ts';
import { add } from './tickets/calls.ts';

let database: TestDatabase;
let door: TcpDoor;
let directory: string;
beforeAll(async () => {
  database = await createTestDatabase('demo');
  door = await openTcpDoor(database.connection);
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-ends-'));
});
afterAll(async () => {
  await door[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const settings = (): Record<string, string> => ({
  DATABASE_URL: door.urlOf(database.connection),
  DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
  SMTP_URL: 'smtp://127.0.0.1:9',
  BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
  LOG_LEVEL: 'info',
});
const start = (): Promise<GatewayProcess> => startGatewayProcess(settings());

async function begin({ url }: GatewayProcess) {
  const call = halfSent(url);
  await call.reading;
  return call;
}

/** Resolves when the process takes no new connection: it drains. */
const draining = ({ url }: GatewayProcess) =>
  expect.poll(() => fetch(`${url}/health/live`).then(String, () => 'refused')).toBe('refused');

const endOf = async ({ child }: GatewayProcess): Promise<unknown> =>
  child.exitCode ?? child.signalCode ?? (await once(child, 'exit'))[0];

test.for(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s drains', async (signal) => {
  await using gateway = await start();
  const call = await begin(gateway);
  gateway.child.kill(signal);
  await draining(gateway);
  call.end();
  expect(await call.answer).toMatchObject({ status: 200 });
  expect(await endOf(gateway)).toBe(0);
  expect(gateway.output.filter((line) => line.includes(`"signal":"${signal}"`))).toHaveLength(1);
});

test('a process whose output nobody reads any more drains', async () => {
  await using gateway = await start();
  const call = await begin(gateway);
  gateway.child.stdout!.destroy();
  await fetch(`${gateway.url}/graphql?query={viewer{login}}`);
  await draining(gateway);
  call.end();
  expect(await call.answer).toMatchObject({ status: 200 });
  expect(await endOf(gateway)).toBe(0);
});

test('a process whose output is no longer read while it drains cuts nothing', async () => {
  await using gateway = await start();
  const [call, other] = [await begin(gateway), await begin(gateway)];
  gateway.child.kill('SIGTERM');
  await draining(gateway);
  gateway.child.stdout!.destroy();
  await sleep(1100);
  // Its line of log finds out that nobody reads.
  call.end();
  expect(await call.answer).toMatchObject({ status: 200 });
  other.end();
  expect(await other.answer).toMatchObject({ status: 200 });
  expect(await endOf(gateway)).toBe(0);
});

test('a second signal that is none of the first one’s copies ends it at once', async () => {
  await using gateway = await start();
  const call = await begin(gateway);
  gateway.child.kill('SIGTERM');
  await draining(gateway);
  await sleep(1100);
  gateway.child.kill('SIGINT');
  await expect(call.answer).rejects.toThrow();
  expect(await endOf(gateway)).toBe(1);
});

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Starts the program without waiting for it. @param prefix words before its command line */
function begun(env: Record<string, string>, prefix: readonly string[] = []): ChildProcess {
  const [program, ...args] = [...prefix, process.execPath, main];
  const all = { ...process.env, PORT: '0', ...settings(), ...env };
  return spawn(program!, args, { env: all, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The program is the first process of its container; `unshare` is what outside has its place. */
const asFirst = ['unshare', '--pid', '--fork', '--kill-child'];
const canBeFirst = spawnSync(asFirst[0]!, [...asFirst.slice(1), 'true']).status === 0;
const firstIn = async ({ pid }: ChildProcess): Promise<number> =>
  Number(await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'));

test.for([
  ['', []],
  ...(canBeFirst ? [[', as the first process of a container', asFirst] as const] : []),
] as const)('a signal ends a start that waits for its database%s', async ([, prefix]) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const DATABASE_URL = `postgres://u:p@127.0.0.1:${(server.address() as AddressInfo).port}/d`;
  const asked = once(server, 'connection');
  const child = begun({ DATABASE_URL, DATABASE_OWNER_URL: '' }, prefix);
  const ended = once(child, 'exit');
  await asked;
  process.kill(prefix.length === 0 ? child.pid! : await firstIn(child), 'SIGTERM');
  expect(await ended).toEqual([0, null]);
  server.close();
});

test('a signal before the start is complete waits for the mail that is under way', async () => {
  const reached = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  await using sink = await startSmtpSink({
    onMail() {
      reached.resolve();
      return answer.promise;
    },
  });
  await using web = await startGateway({ env: { ROLES: 'web' }, database });
  await add(web, { email: { from: 'company@domain.com' } });
  await using owner = await lockDeskKeys();
  const child = begun({ SMTP_URL: sink.url });
  const ended = once(child, 'exit');
  await reached.promise;
  child.kill('SIGTERM');
  await owner.unlock();
  answer.resolve();
  expect(await ended).toEqual([0, null]);
  expect(await web.sql`select state from deliveries`).toMatchObject([{ state: 'SENT' }]);
});

/** Locks what the web server reads when it starts, which is after the worker. */
async function lockDeskKeys() {
  const sql = database.asOwner();
  const locked = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const transaction = sql.begin(async (tx) => {
    await tx`lock table desk_keys`;
    locked.resolve();
    await done.promise;
  });
  await locked.promise;
  const unlock = async () => {
    done.resolve();
    await transaction;
  };
  return {
    unlock,
    async [Symbol.asyncDispose]() {
      await unlock();
      await sql.end({ timeout: 5 });
    },
  };
}
