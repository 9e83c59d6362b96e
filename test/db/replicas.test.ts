import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checksOf } from '../../src/cli/commands/doctor/checks.ts';
import { Unsuitable } from '../../src/db/assert-suitable.ts';
import { type Database, type DatabaseOptions, migrate, openDatabase } from '../../src/db/database.ts';
import { textStatement } from '../../src/db/run-statement.ts';
import { seedDemoDesk } from '../../src/dev/demo/seed-desk.ts';
import type { Viewer } from '../../src/platform/request-context.ts';
import { type Cluster, createCluster } from '../crash/database/cluster.ts';
import { openStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, startGateway } from '../support/gateway.ts';
import { openDatabaseDoor } from '../support/servers/database-door.ts';
import { soaking } from '../support/soak.ts';

/*
 * Two real servers: a primary, and a replica that streams from it asynchronously.
 */
const parts = new AsyncDisposableStack();
let directory: string;
let primary: Cluster;
let replica: Cluster;

const urlOf = ({ port }: Cluster) => `postgres://admin@127.0.0.1:${port}/postgres`;
const open = (options: DatabaseOptions = {}): Database =>
  openDatabase(urlOf(primary), { replicas: [urlOf(replica)], ...options });
const operator = { role: 'OPERATOR', userId: 1 } as unknown as Viewer;
/** Waits for the lock with this key, and tells whether a replica answers. */
const whereUnlocked = textStatement<{ key: number }>(sql`
  select pg_is_in_recovery()::text, pg_advisory_xact_lock_shared(${sql.placeholder('key')}::int)::text`);

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'replicas-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  primary = parts.use(await createCluster(join(directory, 'primary')));
  replica = parts.use(await primary.copyAsStandby(join(directory, 'replica'), { isSynchronous: false }));
  await primary.start();
  await migrate(urlOf(primary));
  await replica.start();
  await using database = openDatabase(urlOf(primary));
  await seedDemoDesk(database.desk);
}, 60_000);
afterAll(() => parts.disposeAsync());

/** The subject of ticket 1, as one process writes it and another reads it. */
const write = ({ desk }: Database, subject: string) =>
  desk.execute(sql`update tickets set subject = ${subject} where id = 1`);
const read = async ({ readAs }: Database, viewer = operator): Promise<unknown> => {
  const rows = await readAs(viewer, (db) => db.execute(sql`select subject from tickets where id = 1`));
  return [...rows][0]?.subject;
};
const replicaAnswers = (database: Database) =>
  eventually(async () => {
    const before = database.replicas!.counts.replica;
    await read(database);
    return database.replicas!.counts.replica === before + 1;
  });
const onReplica = async (statement: string) => {
  const client = replica.sql();
  await client.unsafe(statement);
  await client.end();
};

test('a read sees what another process committed before it, and replicas answer it', async () => {
  await using writer = open({ replicas: [] });
  await using reader = open();
  await replicaAnswers(reader);
  // On a busy machine the replica is late for most of them.
  const rounds = soaking ? 100 : 25;
  for (let n = 0; n < rounds || reader.replicas!.counts.replica <= rounds / 5; n++) {
    await write(writer, `subject ${n}`);
    expect(await read(reader)).toBe(`subject ${n}`);
  }
});

test('many reads at once ask the primary together', async () => {
  await using reader = open();
  await replicaAnswers(reader);
  const client = primary.sql();
  const asked = async () =>
    Number(
      (await client`select xact_commit from pg_stat_database where datname = 'postgres'`)[0]!.xact_commit,
    );
  await client`select pg_stat_force_next_flush()`;
  const before = await asked();
  const answers = await Promise.all(Array.from({ length: 120 }, () => read(reader)));
  expect(new Set(answers).size).toBe(1);
  await client`select pg_stat_force_next_flush()`;
  expect((await asked()) - before).toBeLessThan(50);
  await client.end();
});

test('a replica that replays too late is not read from until it has caught up', async () => {
  await using database = open();
  await replicaAnswers(database);
  await onReplica('select pg_wal_replay_pause()');
  for (let n = 0; n < 10; n++) {
    await write(database, `paused ${n}`);
    expect(await read(database)).toBe(`paused ${n}`);
  }
  expect(database.replicas!.replicas[0]!.status).toBe('behind');
  expect(database.replicas!.replicas[0]!.lagBytes).toBeGreaterThan(0);
  await onReplica('select pg_wal_replay_resume()');
  await replicaAnswers(database);
  expect(await read(database)).toBe('paused 9');
});

test('requesters see their own tickets alone', async () => {
  await using database = open();
  const stranger = { role: 'REQUESTER', userId: 999_999 } as unknown as Viewer;
  const client = primary.sql();
  const [ticket] = await client`select requester_id from tickets where id = 1`;
  await client.end();
  const requester = { role: 'REQUESTER', userId: Number(ticket!.requester_id) } as unknown as Viewer;
  await eventually(async () => {
    const before = database.replicas!.counts.replica;
    expect(await read(database, stranger)).toBeUndefined();
    expect(await read(database, requester)).toBe(await read(database));
    return database.replicas!.counts.replica === before + 3;
  });
});

test('a read whose connection to the replica is lost is answered by the primary', async () => {
  await using database = open();
  await replicaAnswers(database);
  const client = replica.sql();
  await client`select pg_advisory_lock(7)`;
  const { reading } = await eventually(async () => {
    const reading = database.readTextsAs(operator, whereUnlocked, { key: 7 });
    let isAnswered = false;
    void reading.then(() => (isAnswered = true));
    const found = await eventually(async () => {
      const [ended] = await client`
        select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'`;
      return ended === undefined ? isAnswered : { reading };
    });
    // The primary answers too when the replica is late, on a busy machine.
    return found !== true && found;
  });
  await client`select pg_advisory_unlock(7)`;
  expect(await reading).toEqual([['false', '']]);
  await client.end();
});

// Waits for a server three times: `npm run test:soak` takes it.
if (soaking)
  test('a replica that is killed or frozen costs no read, and is used again when it is back', async () => {
    await using database = open();
    await replicaAnswers(database);
    const readAll = async () =>
      expect(new Set(await Promise.all(Array.from({ length: 50 }, () => read(database)))).size).toBe(1);
    const reading = readAll();
    await replica.kill();
    await reading;
    await readAll();
    expect(database.replicas!.replicas[0]!.status).toBe('down');
    await replica.start();
    await replicaAnswers(database);
    replica.freeze();
    // Nothing was written since, so the replica is asked, and says nothing.
    await readAll();
    await write(database, 'while it is frozen');
    expect(await read(database)).toBe('while it is frozen');
    await readAll();
    await replica.kill();
    await replica.start();
    await replicaAnswers(database);
  });

test('a server that is no replica of the database is named', async () => {
  await using database = open({ replicas: [urlOf(primary), urlOf(replica)] });
  const found: unknown[] = [];
  await database.replicas!.check(({ name }, error) => found.push([name, (error as Error).message]));
  expect(found).toEqual([
    ['replica-1', 'the server is not a streaming replica of the database of DATABASE_URL'],
  ]);
  expect(await read(database)).toBe(await read(database));
});

test.runIf(soaking)('a replica that is promoted gets no more reads', async () => {
  await replica.kill();
  await using another = await replica.copy(join(directory, 'promoted'));
  await Promise.all([replica.start(), another.start()]);
  await using database = open({ replicas: [urlOf(another)] });
  await replicaAnswers(database);
  await another.promote();
  await eventually(() => database.replicas!.replicas[0]!.status === 'down');
  const before = database.replicas!.counts.replica;
  await write(database, 'after the promotion');
  expect(await read(database)).toBe('after the promotion');
  expect(database.replicas!.counts.replica).toBe(before);
});

test('a gateway reads and watches through a replica, and tells how it is', async () => {
  const connection = { host: '127.0.0.1', port: primary.port, user: 'admin', database: 'postgres' };
  const asOwner = (max = 1) => postgres({ ...connection, max, onnotice: () => {} });
  const database = { connection, ownerConnection: connection, asOwner, database: open({ replicas: [] }) };
  await using _opened = database.database;
  await using gateway = await startGateway({
    database: { ...database, [Symbol.asyncDispose]: async () => {} },
    env: { DATABASE_REPLICA_URLS: urlOf(replica) },
  });
  const metric = async (name: string) => {
    const lines = (await (await fetch(`${gateway.url}/metrics`)).text()).split('\n');
    return Number(lines.find((line) => line.startsWith(`${name} `))?.split(' ')[1]);
  };
  const byReplica = () => metric('ticketwire_replicated_reads_total{server="replica"}');
  const add = `mutation ($body: String!) {
    addTicketMessage(input: { ticket: { ticketId: 47 }, body: $body }) { __typename }
  }`;
  const last = '{ ticket(by: {ticketId: 47}) { messages(last: 1) { nodes { bodyText } } } }';
  await eventually(async () => {
    await gateway.graphql(last);
    return (await byReplica()) > 0;
  });
  const watch = 'subscription { deskEvents { ticketMessage { bodyText } } }';
  const stream = await openStream(gateway.url, { query: watch }, { authorization: asOperator });
  for (let n = 0; n < 4; n++) {
    const added = await gateway.graphql(add, { body: `message ${n}` });
    expect(added.data).toEqual({ addTicketMessage: { __typename: 'AddTicketMessagePayload' } });
    const { data } = await gateway.graphql(last);
    expect(data).toEqual({ ticket: { messages: { nodes: [{ bodyText: `message ${n}` }] } } });
    const told = await stream.next();
    expect(JSON.stringify(told?.data)).toContain(`"message ${n}"`);
  }
  stream.leave();
  // On a busy machine, a read may just have found it behind. Its next report ends that.
  await eventually(async () => {
    const ready = await (await fetch(`${gateway.url}/health/ready`)).json();
    return ready.replicas === 'ok' && (await metric('ticketwire_replica_up{replica="replica-1"}')) === 1;
  });
  await eventually(async () => {
    await gateway.graphql(last);
    return (await byReplica()) > 4;
  });
});

const isWell = (work: PromiseLike<unknown>): Promise<boolean> =>
  Promise.resolve(work).then(
    () => true,
    () => false,
  );

/** A database whose name leads to the replica, with connections there, and then to the primary again. */
async function openMoved() {
  await using parts = new AsyncDisposableStack();
  const placeOf = ({ port }: Cluster) => ({ host: '127.0.0.1', port, user: 'admin', database: 'postgres' });
  const door = parts.use(await openDatabaseDoor(placeOf(replica)));
  const database = parts.use(openDatabase(door.through(placeOf(replica))));
  const { desk, commands } = database;
  await Promise.all([read(database), ...[desk, commands].map((pool) => pool.execute(sql`select`))]);
  door.leadTo(placeOf(primary));
  const held = parts.move();
  return { door, database, [Symbol.asyncDispose]: () => held.disposeAsync() };
}

test('who is connected to a standby comes to the primary once the database’s name leads there', async () => {
  await using moved = await openMoved();
  const { database } = moved;
  await expect(write(database, 'not on a standby')).rejects.toThrow();
  await eventually(() => isWell(write(database, 'on the primary')));
  // No reader stays there either, where it would read what is old.
  await onReplica('select pg_wal_replay_pause()');
  await write(database, 'on the primary alone');
  expect(await read(database)).toBe('on the primary alone');
  await onReplica('select pg_wal_replay_resume()');
});

test('a health check alone finds the way to the primary', async () => {
  await using moved = await openMoved();
  await expect(moved.database.check()).rejects.toThrow(Unsuitable);
  await eventually(() => isWell(moved.database.check()));
});

test('connections stay where they are while nothing can be written anywhere', async () => {
  await using moved = await openMoved();
  const { door, database } = moved;
  await eventually(() => isWell(database.check()));
  const pid = async () => [...(await database.desk.execute(sql`select pg_backend_pid() as pid`))][0]!.pid;
  const before = await pid();
  await database.desk.execute(sql`set default_transaction_read_only = on`);
  const opened = door.opened;
  await expect(write(database, 'read only')).rejects.toThrow();
  // The server was asked over a new connection, and has this one.
  await eventually(() => door.opened > opened);
  await database.desk.execute(sql`set default_transaction_read_only = off`);
  await write(database, 'no longer read only');
  expect(await pid()).toBe(before);
});

test('doctor tries each replica', async () => {
  const run = async (replicas: readonly Cluster[]) => {
    const checks: unknown[] = [];
    const env = { DATABASE_URL: urlOf(primary), DATABASE_REPLICA_URLS: replicas.map(urlOf).join(', ') };
    for await (const { name, run } of checksOf(env)) {
      const found = await run().catch((error: Error) => error.message);
      if (name === 'DATABASE_REPLICA_URLS') checks.push(found);
    }
    return checks;
  };
  expect(await run([replica, primary])).toEqual([
    `postgres://127.0.0.1:${replica.port}/postgres is a replica of the database`,
    'DATABASE_REPLICA_URLS: the server is not a streaming replica of the database of DATABASE_URL',
  ]);
});
