import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, openClient } from '../../src/db/driver/client.ts';
import { withDeadline } from '../../src/db/driver/deadline.ts';
import { Unavailable } from '../../src/platform/errors.ts';
import { countWaiting, createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually, turn } from '../support/eventually.ts';

/*
 * Statements that are given up before they are executed. What becomes of the statements after them when the
 * bare driver cancels one is shown as well: where it is not faulty any more, its test fails.
 */

let own: TestDatabase;
let owner: postgres.Sql;
beforeAll(async () => {
  own = await createTestDatabase();
  owner = own.asOwner();
});
afterAll(() => own[Symbol.asyncDispose]());

type GiveUp = (sql: postgres.Sql, statement: string) => Promise<unknown>;
/** Resolves when the statement's caller has an answer. */
const ways: Record<'limited' | 'cancelled', GiveUp> = {
  limited: async (sql, statement) => {
    const given = withDeadline(sql, 1).unsafe(statement, ['late'], { prepare: true });
    await expect(Promise.resolve(given)).rejects.toBeInstanceOf(Unavailable);
  },
  cancelled: async (sql, statement) => {
    const given = sql.unsafe(statement, ['late'], { prepare: true });
    given.catch(() => {});
    await turn();
    void given.cancel();
  },
};

const open = (to = own.ownerConnection) => openClient(to, { max: 1 });
const echo = 'select $1::text as text';
const echoed = async (sql: postgres.Sql, text: string) =>
  (await sql.unsafe(echo, [text], { prepare: true }))[0]!.text;

describe('a statement that is given up behind a slow one on its connection', () => {
  /** What three statements get that come after it. */
  async function answersAfter(giveUp: GiveUp): Promise<string[]> {
    const sql = open();
    const wait = () => sql.unsafe('select pg_advisory_xact_lock_shared($1)', ['1'], { prepare: true });
    await echoed(sql, 'prepared');
    await wait();
    await owner`select pg_advisory_lock(1)`;
    const slow = wait().execute();
    await eventually(async () => (await countWaiting(owner)) === 1);
    await giveUp(sql, echo);
    const next = Promise.all(['a', 'b', 'c'].map((text) => echoed(sql, text)));
    await turn();
    await owner`select pg_advisory_unlock(1)`;
    const [answers] = await Promise.all([next, slow]);
    await sql.end({ timeout: 0 });
    return answers;
  }

  test('leaves its answer to no other', async () => {
    expect(await answersAfter(ways.limited)).toEqual(['a', 'b', 'c']);
  });
  test('gives its answer to the next one if the bare driver cancels it', async () => {
    expect(await answersAfter(ways.cancelled)).toEqual(['late', 'a', 'b']);
  });
});

/** A way to the database that opens when it is told to. */
async function openLateDoor() {
  const gate = Promise.withResolvers<void>();
  const { path, port, host, user, database } = own.ownerConnection as Exclude<Connection, string>;
  const sockets: Socket[] = [];
  const server = createServer(async (client) => {
    sockets.push(client);
    await gate.promise;
    const inside = path === undefined ? connect(port, host) : connect(path);
    sockets.push(inside);
    client.pipe(inside).pipe(client);
    for (const socket of [client, inside]) socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    to: { host: '127.0.0.1', port: (server.address() as AddressInfo).port, user, database },
    open: gate.resolve,
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

describe('a statement that is given up while its connection is being opened', () => {
  beforeAll(async () => {
    await owner`create table written (it text)`.simple();
  });

  /** What the next statement gets; undefined when it gets nothing. */
  async function answersAfter(giveUp: GiveUp): Promise<string | undefined> {
    using door = await openLateDoor();
    const sql = open(door.to);
    await giveUp(sql, 'insert into written values ($1)');
    const next = echoed(sql, 'next');
    next.catch(() => {});
    door.open();
    const others = async () => {
      for (let n = 0; n < 200; n += 1) await owner`select`;
      return undefined;
    };
    const answer = await Promise.race([
      next,
      giveUp === ways.limited ? new Promise<never>(() => {}) : others(),
    ]);
    await sql.end({ timeout: 0 });
    return answer;
  }

  test('is never executed, and the connection serves the next', async () => {
    expect(await answersAfter(ways.limited)).toBe('next');
    expect([...(await owner`select * from written`)]).toEqual([]);
  });
  test('leaves a connection that serves nobody if the bare driver cancels it', async () => {
    expect(await answersAfter(ways.cancelled)).toBeUndefined();
  });
});
