import { spawnSync } from 'node:child_process';
import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrate, openDatabase } from '../../../src/db/database.ts';
import { describeStartError } from '../../../src/describe-start-error.ts';
import {
  attachEmbedded,
  EmbeddedInUse,
  startEmbedded,
} from '../../../src/dev/embedded-postgres/start-postgres.ts';
import { soaking } from '../../support/soak.ts';
import { ask, kill, useDataDirs } from './data-dirs.ts';

const asRoot = process.getuid?.() === 0;

/** What was found when the cluster of all tests was made; to make one takes most of their time. */
let attached: unknown[];
const desk = useDataDirs(async (embedded, dataDir) => {
  await migrate(embedded.connection);
  await using database = openDatabase(embedded.connection);
  await database.check();
  await database.raw`insert into users (login, name, role) values ('a', 'A', 'OPERATOR')`;
  const [row] = await database.raw`show fsync`;
  attached = [embedded.connection, await attachEmbedded(dataDir), row];
});

test('it starts on an empty directory, migrates and keeps rows; the CLI attaches while it runs', async () => {
  expect(attached[1]).toEqual(attached[0]);
  expect(attached[2]).toEqual({ fsync: 'on' });
  desk.withCluster();
  expect(await attachEmbedded(desk.dataDir)).toBeUndefined();
  await using again = await startEmbedded(desk.dataDir);
  await ask(again.connection as object, async (sql) => {
    expect(await sql`select login from users`).toMatchObject([{ login: 'a' }]);
    const [owner] =
      await sql`select pg_get_userbyid(datdba) as owner from pg_database where datname = current_database()`;
    expect(owner).toEqual({ owner: 'ticketwire' });
  });
});

test('a second start on one DATA_DIR fails and names the first', async () => {
  desk.withCluster();
  const first = await desk.startGateway();
  const error = await startEmbedded(desk.dataDir).catch((e) => e);
  expect(error).toBeInstanceOf(EmbeddedInUse);
  expect(error.pid).toBe(first.process.pid);
  expect(error.message).toContain(`in use by the process ${first.process.pid}`);
  await ask(first.connection, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});

test('a DATA_DIR in which no database can start is named, with the reason', async () => {
  const told = (dataDir: string) =>
    startEmbedded(dataDir).then(
      () => 'started',
      (error: unknown) => describeStartError(error) ?? 'a fault',
    );
  const file = join(desk.dataDir, 'file');
  await writeFile(file, '');
  for (const dataDir of [file, join(file, 'below')])
    expect(await told(dataDir)).toBe(
      `DATA_DIR: ${dataDir} cannot be used: EEXIST: file already exists, mkdir '${file}'`,
    );
  const loop = join(desk.dataDir, 'loop');
  await symlink(loop, loop);
  expect(await told(loop)).toMatch(/^DATA_DIR: .*\/loop cannot be used: ELOOP: /);
  if (process.platform === 'linux')
    for (const nowhere of ['/proc', '/proc/nope/below'])
      expect(await told(nowhere)).toMatch(/^DATA_DIR: \/proc.* cannot be used: ENOENT: /);
  desk.withCluster();
  await writeFile(join(desk.dataDir, 'postgres/data/PG_VERSION'), '15\n');
  expect(await told(desk.dataDir)).toMatch(
    /^DATA_DIR: the database in .*\/postgres\/data does not start \(it was made by PostgreSQL 15\); /,
  );
});

test.runIf(soaking)('a DATA_DIR too deep for a socket gets a private one elsewhere', async () => {
  const deep = join(desk.dataDir, ...Array.from({ length: 12 }, () => 'a-rather-long-name'));
  await mkdir(deep, { recursive: true });
  desk.withCluster(deep);
  await using embedded = await startEmbedded(deep);
  const { path } = embedded.connection as { path: string };
  expect(Buffer.byteLength(path)).toBeLessThan(100);
  const { mode } = await stat(join(path, '..'));
  expect(mode & 0o077).toBe(0);
  expect(await attachEmbedded(deep)).toEqual(embedded.connection);
  await ask(embedded.connection as object, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});

test.runIf(asRoot)('another local user reaches neither its socket nor its files', async () => {
  desk.withCluster();
  await using embedded = await startEmbedded(desk.dataDir);
  const { path } = embedded.connection as { path: string };
  const reach =
    `require('net').connect(${JSON.stringify(path)}).on('connect', () => ` +
    `process.exit(0)).on('error', (e) => { console.log(e.code); process.exit(3) })`;
  const node = (ids: object) =>
    spawnSync(process.execPath, ['-e', reach], { ...ids, encoding: 'utf8', cwd: '/' });
  expect(node({}).status).toBe(0);
  expect(node({ uid: 12_345, gid: 12_345 })).toMatchObject({ status: 3, stdout: 'EACCES\n' });
  const list = spawnSync('ls', [join(desk.dataDir, 'postgres')], {
    uid: 12_345,
    gid: 12_345,
    encoding: 'utf8',
  });
  expect(list.status).not.toBe(0);
});

test.runIf(asRoot && soaking)(
  'it runs for an ordinary user, and root goes on with that user’s cluster',
  async () => {
    const ids = { uid: 65_534, gid: 65_534, env: { PATH: process.env.PATH }, cwd: '/' };
    spawnSync('chown', ['65534:65534', desk.dataDir]);
    const first = await desk.startGateway(ids);
    await ask(first.connection, (sql) => sql`create table kept as select 1 as n`);
    await kill(first.process);
    await using embedded = await startEmbedded(desk.dataDir);
    expect((await stat(`/proc/${embedded.pid}`)).uid).toBe(65_534);
    expect(await ask(embedded.connection as object, (sql) => sql`select n from kept`)).toMatchObject([
      { n: 1 },
    ]);
  },
);

test.runIf(asRoot && soaking)('root starts it where no other user may go', async () => {
  await chmod(desk.dataDir, 0o700);
  const locked = join(desk.dataDir, 'data');
  await using embedded = await startEmbedded(locked);
  await ask(embedded.connection as object, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});
