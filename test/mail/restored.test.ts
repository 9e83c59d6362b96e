import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { explainRecipient } from '../../src/mail/outbox/explain-failure.ts';
import { findOutboxHome, holdOutbox, setOutboxHome } from '../../src/mail/outbox/holding/home.ts';
import { releaseOutbox } from '../../src/mail/outbox/holding/release-outbox.ts';
import { createLog } from '../../src/platform/log.ts';
import type { TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { soaking } from '../support/soak.ts';
import { inState, startWorker, until, viewDelivery } from './world/desk.ts';
import { createWorld } from './world/world.ts';

type Place = Exclude<TestDatabase['connection'], string>;

/** A log that a test waits for: the outbox says there why it sends nothing. */
function heardLog() {
  const lines = new PassThrough({ objectMode: true });
  const log = createLog('silent');
  const said: string[] = [];
  const hear = (about: unknown, text?: string) => {
    if (text === 'mail attempt') return;
    said.push(`${text ?? about} ${(about as { why?: string }).why ?? ''}`);
    lines.write(said.at(-1));
  };
  return {
    log: Object.assign(Object.create(log), { error: hear, info: hear, warn: hear }) as typeof log,
    said,
    async next(): Promise<string> {
      for (;;) {
        const line = lines.read() as string | null;
        if (line !== null) return line;
        await once(lines, 'readable');
      }
    },
  };
}

/** Puts a copy of the database in its place, as whoever drops it and restores a dump under its name does. */
async function replace(world: Awaited<ReturnType<typeof createWorld>>) {
  const place = world.ownerConnection as Place;
  const sql = postgres({ ...place, database: 'postgres', max: 1, onnotice: () => {} } as never);
  const copy = `copy_${randomBytes(4).toString('hex')}`;
  const name = place.database;
  await sql.unsafe(`alter database ${name} allow_connections false`);
  await sql`
    select pg_terminate_backend(pid, 10000) from pg_stat_activity
    where datname = ${name} and pid <> pg_backend_pid()`;
  await sql.unsafe(`create database ${copy} template ${name} strategy file_copy`);
  await sql.unsafe(`drop database ${name} with (force)`);
  await sql.unsafe(`alter database ${copy} rename to ${name}`);
  await sql.end({ timeout: 5 });
}

/** What a dump that is restored gives: the same rows in another database. */
async function restore(world: Awaited<ReturnType<typeof createWorld>>) {
  const name = `restored_${randomBytes(4).toString('hex')}`;
  const place = world.ownerConnection as Place;
  const asOwner = async (run: (sql: postgres.Sql) => Promise<unknown>) => {
    const sql = postgres({ ...place, database: 'postgres', max: 1, onnotice: () => {} } as never);
    await run(sql).finally(() => sql.end({ timeout: 5 }));
  };
  await world.database[Symbol.asyncDispose]();
  await asOwner(
    (sql) => sql`create database ${sql(name)} template ${sql(place.database)} strategy file_copy`,
  );
  const database = openDatabase({ ...(world.connection as Place), database: name });
  return {
    database,
    sql: database.raw,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await asOwner((sql) => sql`drop database ${sql(name)} with (force)`);
    },
  };
}

/** A desk at work: three mails wait, two are on their way, of which one has come to its body. */
async function deskAtWork() {
  const world = await createWorld();
  await findOutboxHome(world.sql);
  const waiting = [
    await world.queue(),
    await world.queue({ ticketId: 2 }),
    await world.queue({ ticketId: 3 }),
  ];
  const underway = [await world.queue({ ticketId: 4 }), await world.queue({ ticketId: 5 })];
  for (const [at, phase] of ['CONNECT', 'BODY'].entries()) {
    await world.sql`
      with claimed as (
        update deliveries set state = 'TRANSMITTING', attempt = gen_random_uuid(), attempts = 1, phase =
        ${phase},
          lease_until = now() - interval '1 minute' where id = ${underway[at]!} returning id, attempt
      ) insert into delivery_attempts (delivery_id, number, token, worker, phase)
        select id, 1, attempt, 'elsewhere', ${phase} from claimed`;
  }
  return { world, waiting, underway };
}

test('a restored desk sends nothing and says why; after release a mail is sent or unknown', async () => {
  const { world, waiting, underway } = await deskAtWork();
  await using _ = world;
  await using copy = await restore(world);
  const before = await copy.sql`select id, state, attempts from deliveries order by id`;
  const heard = heardLog();
  const refused = heard.next();
  await using _worker = startWorker({
    ...{ sql: copy.sql, blobs: world.blobs, smtpUrl: world.sink.url },
    ...{ log: heard.log, pollSeconds: 1, leaseSeconds: 4 },
  });
  expect(await refused).toMatch(/^no mail is sent this database is a copy/);
  // A look more, after somebody has queued another one.
  await copy.sql`select pg_notify('ticketwire_outbox', '')`;
  expect(await copy.sql`select id, state, attempts from deliveries order by id`).toEqual(before);
  expect(world.sink.mails).toHaveLength(0);
  expect(await findOutboxHome(copy.sql)).toMatchObject({
    moved: true,
    reason: expect.stringContaining('copy'),
  });

  const released = await copy.sql.begin((tx) => releaseOutbox(tx as unknown as postgres.Sql, false));
  expect(released).toEqual({ restored: true, outcomeUnknown: 2 });
  for (const id of waiting) await until(copy.sql, id, inState('SENT'));
  expect(world.sink.mails).toHaveLength(waiting.length);
  for (const id of underway) {
    expect(await viewDelivery(copy.sql, id)).toMatchObject({
      state: 'OUTCOME_UNKNOWN',
      events: ['DELIVERY_OUTCOME_UNKNOWN'],
    });
    const states = await copy.sql`
      select r.state, a.outcome, a.ended_at is not null as ended from delivery_recipients r
      join delivery_attempts a using (delivery_id) where delivery_id = ${id}`;
    expect([...states]).toEqual([{ state: 'OUTCOME_UNKNOWN', outcome: 'OUTCOME_UNKNOWN', ended: true }]);
  }
  expect(heard.said.at(-1)).toMatch(/^mails are sent again/);
});

test.runIf(soaking)(
  'released with doubt, a restored desk drops the mails that were due and keeps later ones',
  async () => {
    const { world, waiting, underway } = await deskAtWork();
    await using _ = world;
    const later = await world.queue({ state: 'HELD', dueAt: new Date(Date.now() + 3_600_000) });
    await using copy = await restore(world);
    const released = await copy.sql.begin((tx) => releaseOutbox(tx as unknown as postgres.Sql, true));
    expect(released).toEqual({ restored: true, outcomeUnknown: waiting.length + underway.length });
    const states =
      await copy.sql`select state, count(*)::int as n from deliveries group by state order by state`;
    expect([...states]).toEqual([
      { state: 'HELD', n: 1 },
      { state: 'OUTCOME_UNKNOWN', n: 5 },
    ]);
    expect((await viewDelivery(copy.sql, later)).state).toBe('HELD');
  },
);

test('released with doubt after a rollback without a trace, a desk sends nothing of before', async () => {
  const { world, waiting, underway } = await deskAtWork();
  await using _ = world;
  const alive = await world.queue({ ticketId: 5 });
  await world.sql`
    update deliveries set state = 'TRANSMITTING', attempt = gen_random_uuid(), phase = 'CONNECT',
      lease_until = now() + interval '1 minute' where id = ${alive}`;
  await holdOutbox(world.sql, 'the volume was rolled back');
  const released = await world.sql.begin((tx) => releaseOutbox(tx as unknown as postgres.Sql, true));
  expect(released).toEqual({ restored: false, outcomeUnknown: waiting.length + underway.length });
  expect(await viewDelivery(world.sql, underway[0]!)).toMatchObject({ state: 'OUTCOME_UNKNOWN' });
  const [doubted] = await world.sql<[{ reply: string }]>`
    select smtp_reply as reply from delivery_recipients where delivery_id = ${underway[0]!} limit 1`;
  expect(explainRecipient({ state: 'OUTCOME_UNKNOWN', smtpReply: doubted.reply })).toEqual({
    reason: 'The outbox was released with doubt: this mail may have been sent.',
    suggestedAction: 'RESOLVE',
  });
  expect(await viewDelivery(world.sql, alive)).toMatchObject({ state: 'TRANSMITTING' });
});

test('a worker sends nothing of a database that takes the place of its own while it runs', async () => {
  await using world = await createWorld();
  const heard = heardLog();
  // Its look at the outbox's home would last for 15 s.
  world.work({ log: heard.log, pollSeconds: 1, leaseSeconds: 60 });
  const first = await world.queue();
  await until(world.sql, first, inState('SENT'));
  await replace(world);
  // Connections that were ended are opened anew.
  const second = await eventually(() => world.queue({ ticketId: 2 }).catch(() => null));
  await eventually(() => heard.said.find((line) => /^no mail is sent this database is a copy/.test(line)));
  expect((await viewDelivery(world.sql, second)).state).toBe('QUEUED');
  expect(world.sink.mails).toHaveLength(1);
});

test('a worker that runs hears of a hold and of its end', async () => {
  await using world = await createWorld();
  const heard = heardLog();
  world.work({ log: heard.log, pollSeconds: 30 });
  const first = await world.queue();
  await until(world.sql, first, inState('SENT'));
  const held = heard.next();
  await holdOutbox(world.sql, 'the mail server moves');
  expect(await held).toBe('no mail is sent the mail server moves');
  const second = await world.queue({ ticketId: 2 });
  expect((await viewDelivery(world.sql, second)).state).toBe('QUEUED');
  await setOutboxHome(world.sql, (await findOutboxHome(world.sql)).here);
  await until(world.sql, second, inState('SENT'));
});

test('on a new timeline a running worker goes on if nothing is lost; a new worker waits', async () => {
  await using world = await createWorld();
  const turn = () => world.sql`update outbox_homes set timeline = timeline - 1`;
  const heard = heardLog();
  world.work({ log: heard.log, pollSeconds: 1, leaseSeconds: 4 });
  const first = await world.queue();
  await until(world.sql, first, inState('SENT'));
  await turn();
  await world.sql`select pg_notify('ticketwire_outbox', 'home')`;
  const second = await world.queue({ ticketId: 2 });
  await until(world.sql, second, inState('SENT'));
  expect((await findOutboxHome(world.sql)).timelineChanged).toBe(false);
  expect(heard.said).toEqual([]);
  // A database that no longer knows an attempt of a moment ago is an earlier one.
  const back = heard.next();
  await world.sql`update deliveries set attempts = 0 where id = ${second}`;
  await world.sql`select pg_notify('ticketwire_outbox', 'home')`;
  expect(await back).toMatch(/^no mail is sent the database is in an earlier state/);
  // Whoever releases it has decided what was lost: the worker does not hold it again.
  const third = await world.queue({ ticketId: 3 });
  await setOutboxHome(world.sql, (await findOutboxHome(world.sql)).here);
  await until(world.sql, third, inState('SENT'));

  await using other = await createWorld();
  await findOutboxHome(other.sql);
  await other.sql`update outbox_homes set timeline = timeline - 1`;
  const fresh = heardLog();
  const waits = fresh.next();
  other.work({ log: fresh.log, pollSeconds: 1 });
  expect(await waits).toMatch(/^no mail is sent this cluster was recovered/);
  expect((await findOutboxHome(other.sql)).heldAt).toBeNull();
});
