import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { nodeOptions } from '../../support/node-options.ts';
import { freePort } from '../../support/servers/free-port.ts';
import type { Contender } from '../contenders.ts';
import type { World } from '../world.ts';

export const poolSize = 10;
const root = fileURLToPath(new URL('../../..', import.meta.url));

export interface Running extends AsyncDisposable {
  readonly contender: Contender;
  readonly port: number;
  readonly pid: number;
  readonly database: string;
}

/** Starts each contender's process on a database of its own. */
export async function startAll(
  world: World,
  list: readonly Contender[],
  dataDir: string,
): Promise<Running[]> {
  const started = new Map<string, Running>();
  const environments = new Map<string, Record<string, string>>();
  for (const contender of list) {
    if (started.has(contender.process)) continue;
    const of = contender.databaseOf ?? contender.process;
    const database = `bench_${of.replace(/\W+/g, '_').toLowerCase()}`;
    let env = environments.get(database);
    if (env === undefined) {
      const files = (contender.prepare ?? []).map((file) => readFileSync(`${root}/${file}`, 'utf8'));
      env = await world.createDatabase(database, [...files, contender.sql ?? ''].join('\n'));
      environments.set(database, env);
    }
    started.set(contender.process, await start(contender, database, env, dataDir));
  }
  return list.map((contender) => ({ ...started.get(contender.process)!, contender }));
}

async function start(
  contender: Contender,
  database: string,
  pgEnv: Record<string, string>,
  dataDir: string,
): Promise<Running> {
  const own = contender.isGateway === true;
  const port = own ? await freePort() : 0;
  const child = spawn(process.execPath, [...(own ? nodeOptions : []), contender.program], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit', own ? 'ignore' : 'ipc'],
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      DATABASE_POOL: String(poolSize),
      ...pgEnv,
      ...contender.env,
      ...(own ? gatewayEnv(database, port, `${dataDir}-${contender.process}`) : {}),
    },
  });
  let ending = false;
  child.once('exit', (code, signal) => {
    if (!ending) process.stderr.write(`${contender.name} has ended: ${signal ?? `code ${code}`}\n`);
  });
  const bound = own ? await whenReady(child, port) : await announcedPort(child, contender);
  return {
    contender,
    port: bound,
    pid: child.pid!,
    database,
    async [Symbol.asyncDispose]() {
      ending = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

/** Requests are counted as usual, but never limited: a few callers send more than any desk does. */
const unlimited = Object.fromEntries(
  ['ADDRESS', 'VIEWER', 'WRITES', 'TICKET'].map((name) => [`RATE_LIMIT_${name}`, '1000000000']),
);

/**
 * The gateway as in production, with all limits and checks. No worker sends the mails: the other contenders
 * have none either.
 */
const gatewayEnv = (database: string, port: number, dataDir: string) => ({
  DATABASE_URL: `postgres:///${database}`,
  SMTP_URL: 'smtp://127.0.0.1:9',
  PORT: String(port),
  DATA_DIR: dataDir,
  ROLES: 'web',
  ...unlimited,
});

async function announcedPort(child: ChildProcess, { name }: Contender): Promise<number> {
  const message = once(child, 'message').then(([{ port }]) => port as number);
  const end = once(child, 'exit').then(() => Promise.reject(new Error(`${name} does not start`)));
  return Promise.race([message, end]);
}

async function whenReady(child: ChildProcess, port: number): Promise<number> {
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error('the gateway does not start');
    const ready = await fetch(`http://127.0.0.1:${port}/health/ready`).catch(() => undefined);
    if (ready?.ok) return port;
    await sleep(50);
  }
  throw new Error('the gateway does not become ready');
}
