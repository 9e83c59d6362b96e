import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type postgres from 'postgres';
import { expect, test } from 'vitest';
import { commandLineOf } from '../../../src/dev/embedded-postgres/process-command-line.ts';
import { attachEmbedded, startEmbedded } from '../../../src/dev/embedded-postgres/start-postgres.ts';
import { eventually } from '../../support/eventually.ts';
import { ask, kill, program, useDataDirs } from './data-dirs.ts';

const desk = useDataDirs();

test('of several first starts at once, one wins and the others name it', async () => {
  const all = await Promise.allSettled([1, 2, 3].map(() => desk.startGateway()));
  const won = all.filter((one) => one.status === 'fulfilled');
  const lost = all.filter((one) => one.status === 'rejected');
  expect(won.length, JSON.stringify(lost.map((one) => String(one.reason)))).toBe(1);
  for (const { reason } of lost)
    expect(String(reason)).toContain(`in use by the process ${won[0]!.value.process.pid}`);
  expect((await readdir(join(desk.dataDir, 'postgres'))).filter((name) => name.startsWith('new-'))).toEqual(
    [],
  );
});

test('the server ends when its gateway is killed; the next start loses nothing', async () => {
  desk.withCluster();
  let count = 0;
  for (let round = 0; round < 3; round++) {
    const gateway = await desk.startGateway();
    await ask(gateway.connection, async (sql) => {
      await sql`create table if not exists kept (n int)`;
      const [row] = await sql`select count(*)::int as count from kept`;
      expect(row).toEqual({ count });
      await sql`insert into kept values (${round})`;
      count++;
      await kill(gateway.process);
    });
  }
  await desk.gone();
  expect(await attachEmbedded(desk.dataDir)).toBeUndefined();
});

test('a stale pid file that names a living process or a zombie does not keep it from starting', async () => {
  desk.withCluster();
  const first = await desk.startGateway();
  await ask(first.connection, (sql) => sql`create table kept as select 1 as n`);
  process.kill(first.pid, 'SIGKILL');
  await kill(first.process);
  await desk.gone();
  const pidFile = join(desk.dataDir, 'postgres/data/postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  // A shell that never reaps its child: the child ends after `exec sleep`, as a zombie of a process that does
  // not know it.
  const shell = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  desk.own(shell);
  const zombie = Number((await once(createInterface(shell.stdout!), 'line'))[0]);
  await eventually(() => commandLineOf(zombie) === undefined);
  expect(process.kill(zombie, 0)).toBe(true);
  for (const pid of [process.pid, zombie]) {
    await writeFile(pidFile, [pid, ...lines.slice(1)].join('\n'));
    const next = await desk.startGateway();
    expect(await ask(next.connection, (sql) => sql`select n from kept`)).toMatchObject([{ n: 1 }]);
    process.kill(next.pid, 'SIGKILL');
    await kill(next.process);
    await desk.gone();
  }
});

test('a first start that was killed leaves nothing that a second takes for a database', async () => {
  const child = spawn(process.execPath, [program, desk.dataDir], { stdio: ['pipe', 'pipe', 'inherit'] });
  desk.own(child);
  const directory = join(desk.dataDir, 'postgres');
  const begun = async () =>
    (await readdir(directory).catch(() => [])).some((name) => name.startsWith('new-'));
  await eventually(begun);
  await kill(child);
  expect(await readdir(directory)).not.toContain('data');
  const next = await desk.startGateway();
  await ask(next.connection, async (sql) => expect(await sql`select 1 as one`).toHaveLength(1));
});

test('after kill -9 of gateway and server together it recovers', async () => {
  desk.withCluster();
  const gateway = await desk.startGateway();
  await ask(gateway.connection, (sql) => sql`create table kept as select generate_series(1, 1000) as n`);
  process.kill(gateway.pid, 'SIGKILL');
  await kill(gateway.process);
  const next = await desk.startGateway();
  const [row] = await ask(next.connection, (sql) => sql`select count(*)::int as count from kept`);
  expect(row).toEqual({ count: 1000 });
});

test('a killed server is started again under a living gateway, with another pid and all rows', async () => {
  desk.withCluster();
  await using embedded = await startEmbedded(desk.dataDir);
  const { pid } = embedded;
  await ask(embedded.connection as object, (sql) => sql`create table kept as select 1 as n`);
  process.kill(pid, 'SIGKILL');
  const look = (sql: postgres.Sql) => sql`select n from kept`;
  const answer = await eventually(() => ask(embedded.connection as object, look).catch(() => undefined));
  expect(answer).toMatchObject([{ n: 1 }]);
  expect(embedded.pid).not.toBe(pid);
});
