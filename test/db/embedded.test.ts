import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { migrate, openDatabase } from '../../src/db/database.ts';
import { readHolder } from '../../src/db/embedded/holder.ts';
import { commandLineOf } from '../../src/db/embedded/process-table.ts';
import { attachEmbedded, EmbeddedInUse, startEmbedded } from '../../src/db/embedded.ts';
import { eventually } from '../support/eventually.ts';

const asRoot = process.getuid?.() === 0;
const program = fileURLToPath(new URL('embedded-process.ts', import.meta.url));
let made: string;
let dataDir: string;
let gateways: ChildProcess[];

beforeAll(async () => {
  made = await mkdtemp(join(tmpdir(), 'embedded-made-'));
  await chmod(made, 0o711);
  await (await startEmbedded(made))[Symbol.asyncDispose]();
});
afterAll(() => rm(made, { recursive: true, force: true }));
beforeEach(async () => {
  gateways = [];
  dataDir = await mkdtemp(join(tmpdir(), 'embedded-'));
  await chmod(dataDir, 0o711);
});
afterEach(async () => {
  for (const gateway of gateways) gateway.kill('SIGKILL');
  await gone();
  await rm(dataDir, { recursive: true, force: true });
});

/** Waits for the end of the server of a gateway that was killed. */
async function gone(): Promise<void> {
  const data = join(dataDir, 'postgres/data');
  await eventually(async () => ((await readHolder(data))?.state ?? 'gone') === 'gone');
}

/** Most tests are not about the first start, and need not wait for initdb. */
function withCluster(): void {
  spawnSync('cp', ['-a', join(made, 'postgres'), dataDir]);
}

interface Said {
  pid: number;
  connection: { path: string; port: number; user: string; database: string };
  error?: string;
}

/** Starts a gateway in a process of its own; rejects with what it says when it cannot. */
async function startGateway(options: object = {}): Promise<Said & { process: ChildProcess }> {
  const child = spawn(process.execPath, [program, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
    ...options,
  });
  gateways.push(child);
  const [line] = await once(createInterface(child.stdout!), 'line');
  const said = JSON.parse(line) as Said;
  if (said.error !== undefined) throw new Error(said.error);
  return { ...said, process: child };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

async function ask<T>(connection: object, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres({ ...connection, max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

test('it starts on an empty directory, takes migrations and keeps rows; the CLI can attach while it runs', async () => {
  {
    await using embedded = await startEmbedded(dataDir);
    await migrate(embedded.connection);
    await using database = openDatabase(embedded.connection);
    await database.check();
    await database.raw`insert into users (login, name, role) values ('a', 'A', 'OPERATOR')`;
    expect(await attachEmbedded(dataDir)).toEqual(embedded.connection);
    const [row] = await database.raw`show fsync`;
    expect(row).toEqual({ fsync: 'on' });
  }
  expect(await attachEmbedded(dataDir)).toBeUndefined();
  await using again = await startEmbedded(dataDir);
  await ask(again.connection as object, async (sql) => {
    expect(await sql`select login from users`).toMatchObject([{ login: 'a' }]);
    const [owner] =
      await sql`select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()`;
    expect(owner).toEqual({ owner: 'ticketwire' });
  });
});

test('a second start on one DATA_DIR fails and names the first', async () => {
  withCluster();
  const first = await startGateway();
  const error = await startEmbedded(dataDir).catch((e) => e);
  expect(error).toBeInstanceOf(EmbeddedInUse);
  expect(error.pid).toBe(first.process.pid);
  expect(error.message).toContain(`in use by the process ${first.process.pid}`);
  await ask(first.connection, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});

test('of several first starts at once, one wins and the others name it', async () => {
  const all = await Promise.allSettled([1, 2, 3].map(() => startGateway()));
  const won = all.filter((one) => one.status === 'fulfilled');
  const lost = all.filter((one) => one.status === 'rejected');
  expect(won.length, JSON.stringify(lost.map((one) => String(one.reason)))).toBe(1);
  for (const { reason } of lost)
    expect(String(reason)).toContain(`in use by the process ${won[0]!.value.process.pid}`);
  expect((await readdir(join(dataDir, 'postgres'))).filter((name) => name.startsWith('new-'))).toEqual([]);
});

test('when its gateway is killed, the server ends; the next start loses nothing and waits for no one', async () => {
  withCluster();
  let count = 0;
  for (let round = 0; round < 3; round++) {
    const gateway = await startGateway();
    await ask(gateway.connection, async (sql) => {
      await sql`create table if not exists kept (n int)`;
      const [row] = await sql`select count(*)::int as count from kept`;
      expect(row).toEqual({ count });
      await sql`insert into kept values (${round})`;
      count++;
      await kill(gateway.process);
    });
  }
  await gone();
  expect(await attachEmbedded(dataDir)).toBeUndefined();
});

test('after kill -9 of gateway and server together it recovers', async () => {
  withCluster();
  const gateway = await startGateway();
  await ask(gateway.connection, (sql) => sql`create table kept as select generate_series(1, 1000) as n`);
  process.kill(gateway.pid, 'SIGKILL');
  await kill(gateway.process);
  const next = await startGateway();
  const [row] = await ask(next.connection, (sql) => sql`select count(*)::int as count from kept`);
  expect(row).toEqual({ count: 1000 });
});

test('a server that is killed under a living gateway is started again, with another pid and all rows', async () => {
  withCluster();
  await using embedded = await startEmbedded(dataDir);
  const { pid } = embedded;
  await ask(embedded.connection as object, (sql) => sql`create table kept as select 1 as n`);
  process.kill(pid, 'SIGKILL');
  const look = (sql: postgres.Sql) => sql`select n from kept`;
  const answer = await eventually(() => ask(embedded.connection as object, look).catch(() => undefined));
  expect(answer).toMatchObject([{ n: 1 }]);
  expect(embedded.pid).not.toBe(pid);
});

test('a stale pid file that names a living process or a zombie does not keep it from starting', async () => {
  withCluster();
  const first = await startGateway();
  await ask(first.connection, (sql) => sql`create table kept as select 1 as n`);
  process.kill(first.pid, 'SIGKILL');
  await kill(first.process);
  await gone();
  const pidFile = join(dataDir, 'postgres/data/postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  // A shell that never reaps its child: the child ends after `exec sleep`, as a zombie of a process that does not know it.
  const shell = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  gateways.push(shell);
  const zombie = Number((await once(createInterface(shell.stdout!), 'line'))[0]);
  await eventually(() => commandLineOf(zombie) === undefined);
  expect(process.kill(zombie, 0)).toBe(true);
  for (const pid of [process.pid, zombie]) {
    await writeFile(pidFile, [pid, ...lines.slice(1)].join('\n'));
    const next = await startGateway();
    expect(await ask(next.connection, (sql) => sql`select n from kept`)).toMatchObject([{ n: 1 }]);
    process.kill(next.pid, 'SIGKILL');
    await kill(next.process);
    await gone();
  }
});

test('a first start that was killed leaves nothing that a second takes for a database', async () => {
  const child = spawn(process.execPath, [program, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  gateways.push(child);
  const directory = join(dataDir, 'postgres');
  const begun = async () =>
    (await readdir(directory).catch(() => [])).some((name) => name.startsWith('new-'));
  await eventually(begun);
  await kill(child);
  expect(await readdir(directory)).not.toContain('data');
  const next = await startGateway();
  await ask(next.connection, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});

test('a DATA_DIR too deep for a socket gets a private one elsewhere', async () => {
  const deep = join(dataDir, ...Array.from({ length: 12 }, () => 'a-rather-long-name'));
  await mkdir(deep, { recursive: true });
  await using embedded = await startEmbedded(deep);
  const { path } = embedded.connection as { path: string };
  expect(Buffer.byteLength(path)).toBeLessThan(100);
  const { mode } = await stat(join(path, '..'));
  expect(mode & 0o077).toBe(0);
  expect(await attachEmbedded(deep)).toEqual(embedded.connection);
  await ask(embedded.connection as object, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});

test.runIf(asRoot)('another local user reaches neither its socket nor its files', async () => {
  withCluster();
  await using embedded = await startEmbedded(dataDir);
  const { path } = embedded.connection as { path: string };
  const reach = `require('net').connect(${JSON.stringify(path)}).on('connect', () => process.exit(0)).on('error', (e) => { console.log(e.code); process.exit(3) })`;
  const node = (ids: object) =>
    spawnSync(process.execPath, ['-e', reach], { ...ids, encoding: 'utf8', cwd: '/' });
  expect(node({}).status).toBe(0);
  expect(node({ uid: 12_345, gid: 12_345 })).toMatchObject({ status: 3, stdout: 'EACCES\n' });
  const list = spawnSync('ls', [join(dataDir, 'postgres')], { uid: 12_345, gid: 12_345, encoding: 'utf8' });
  expect(list.status).not.toBe(0);
});

test.runIf(asRoot)('it runs for an ordinary user, and root goes on with that user’s cluster', async () => {
  const ids = { uid: 65_534, gid: 65_534, env: { PATH: process.env.PATH }, cwd: '/' };
  spawnSync('chown', ['65534:65534', dataDir]);
  const first = await startGateway(ids);
  await ask(first.connection, (sql) => sql`create table kept as select 1 as n`);
  await kill(first.process);
  await using embedded = await startEmbedded(dataDir);
  expect((await stat(`/proc/${embedded.pid}`)).uid).toBe(65_534);
  expect(await ask(embedded.connection as object, (sql) => sql`select n from kept`)).toMatchObject([
    { n: 1 },
  ]);
});

test.runIf(asRoot)('root starts it where no other user may go', async () => {
  await chmod(dataDir, 0o700);
  const locked = join(dataDir, 'data');
  await using embedded = await startEmbedded(locked);
  await ask(embedded.connection as object, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});
