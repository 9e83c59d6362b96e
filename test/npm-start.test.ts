import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTcpDoor } from './crash/support/tcp-door.ts';
import { halfSent } from './http/half-sent.ts';
import { createTestDatabase } from './support/database.ts';
import { freePort } from './support/servers/free-port.ts';
import { sampled, soaking } from './support/soak.ts';

/**
 * Without any setting when soaking: the second start finds the first one's database in the directory.
 * Otherwise on a database that is there, as to make one takes most of a start.
 */
let directory: string;
const settings: Record<string, string> = { DATABASE_URL: '', NODE_ENV: 'test' };
const parts = new AsyncDisposableStack();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-npm-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  if (soaking) return;
  const { connection, ownerConnection } = parts.use(await createTestDatabase('demo'));
  const door = parts.use(await openTcpDoor(connection));
  settings.SMTP_URL = 'inbox:';
  settings.DATABASE_URL = door.urlOf(connection);
  settings.DATABASE_OWNER_URL = door.urlOf(ownerConnection);
});
afterAll(() => parts.disposeAsync());

/** `npm start` as a container or a supervisor runs it, in a process group of its own. */
async function npmStart() {
  const port = await freePort();
  const npm = spawn(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['start'], {
    cwd: new URL('..', import.meta.url),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PORT: String(port), DATA_DIR: directory, ...settings },
  });
  const exited = once(npm, 'close');
  npm.stderr.resume();
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const draining = Promise.withResolvers<void>();
  const lines = createInterface({ input: npm.stdout });
  lines.on('line', (line) => {
    if (line.includes('is listening on')) resolve();
    if (line.includes('"draining"')) draining.resolve();
  });
  await Promise.race([ready, exited.then(([code]) => Promise.reject(new Error(`npm start ended: ${code}`)))]);
  return {
    npm,
    exited,
    draining: draining.promise,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      if (isGroupAlive(npm.pid!)) process.kill(-npm.pid!, 'SIGKILL');
      await exited;
    },
  };
}

function isGroupAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}

const wayOf = {
  'the whole group is told, so that the gateway hears of it twice': (pid: number) =>
    process.kill(-pid, 'SIGTERM'),
  'npm alone is told': (pid: number) => process.kill(pid, 'SIGTERM'),
};

test.for(sampled(Object.entries(wayOf), 2))(
  'npm start ends whole when %s, and cuts no request that is under way',
  { timeout: 120_000 },
  async ([, tell]) => {
    await using started = await npmStart();
    const call = halfSent(started.url);
    await call.reading;
    tell(started.npm.pid!);
    await started.draining;
    call.end();
    expect(await call.answer).toMatchObject({ status: 200 });
    await started.exited;
    await expect.poll(() => isGroupAlive(started.npm.pid!)).toBe(false);
    await expect(fetch(started.url)).rejects.toThrow();
  },
);
