import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { halfSent } from './http/half-sent.ts';
import { freePort } from './support/servers/free-port.ts';
import { sampled } from './support/soak.ts';

/** The second start finds the first one's database there: to make one takes most of a start. */
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-npm-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** `npm start` as a container or a supervisor runs it, in a process group of its own. */
async function npmStart() {
  const port = await freePort();
  const npm = spawn(process.platform === 'win32' ? 'npm.cmd' : 'npm', ['start'], {
    cwd: new URL('..', import.meta.url),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PORT: String(port), DATA_DIR: directory, DATABASE_URL: '', NODE_ENV: 'test' },
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
