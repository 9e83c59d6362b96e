import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// Clock: the process takes a signal for the one before within a second of that.
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess } from './crash/support/gateway-process.ts';
import { openTcpDoor, type TcpDoor } from './crash/support/tcp-door.ts';
import { halfSent } from './http/half-sent.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';

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

const start = (): Promise<GatewayProcess> =>
  startGatewayProcess({
    DATABASE_URL: door.urlOf(database.connection),
    DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
    SMTP_URL: 'smtp://127.0.0.1:9',
    BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
    LOG_LEVEL: 'info',
  });

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
