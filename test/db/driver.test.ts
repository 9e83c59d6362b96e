import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, endClient, openClient } from '../../src/db/driver/client.ts';
import type { Wire } from '../../src/db/driver/postgres-socket.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { sampled, soaking } from '../support/soak.ts';

/*
 * What src/db/driver/client.ts helps the driver with. Each fault is shown on the bare driver as well: where
 * that is not faulty any more, its test fails, and the help can go. That changes with the driver alone, so
 * `npm run test:soak` takes these.
 */
const testBare = test.runIf(soaking);

let database: TestDatabase;
let owner: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  owner = database.asOwner(2);
});
afterAll(() => database[Symbol.asyncDispose]());

const clients = {
  bare: (to: Connection) => postgres({ ...(to as object), max: 1, onnotice: () => {} }),
  ours: (to: Connection) => openClient(to, { max: 1 }),
};
type Kind = keyof typeof clients;

/** A client of one connection, for one test. */
async function using<T>(
  kind: Kind,
  run: (sql: postgres.Sql) => Promise<T>,
  to = database.ownerConnection,
): Promise<T> {
  const sql = clients[kind](to);
  try {
    return await run(sql);
  } finally {
    await sql.end({ timeout: 0 });
  }
}

const codeOf = (statement: PromiseLike<unknown>): Promise<string | undefined> =>
  Promise.resolve(statement).then(
    () => undefined,
    (error) => error.code,
  );

/** Loses a client's connection during a statement. @returns the code of the statement's error */
async function loseStatement(sql: postgres.Sql): Promise<string | undefined> {
  const [{ pid }] = (await sql`select pg_backend_pid() as pid`) as unknown as [{ pid: number }];
  const statement = codeOf(sql`select pg_sleep(600)`);
  await expect
    .poll(async () => (await owner`select state from pg_stat_activity where pid = ${pid}`)[0]?.state)
    .toBe('active');
  await owner`select pg_terminate_backend(${pid})`;
  return statement;
}

describe('after a backend was killed in the middle of a statement', () => {
  const killed = (kind: Kind) =>
    using(kind, async (sql) => ({
      first: await loseStatement(sql),
      next: await codeOf(sql`select 1`),
      after: await codeOf(sql`select 1`),
    }));

  test('the next statement succeeds, and its own says why it failed', async () => {
    expect(await killed('ours')).toEqual({ first: '57P01', next: undefined, after: undefined });
  });
  testBare('the bare driver fails the next one', async () => {
    expect(await killed('bare')).toEqual({ first: 'CONNECTION_CLOSED', next: '57P01', after: undefined });
  });
});

describe('a connection that was lost during a statement', () => {
  test('does not keep its client from ending', async () => {
    const wires = new Set<Wire>();
    const sql = openClient(database.ownerConnection, { max: 1, wires });
    await loseStatement(sql);
    // A limit that no test reaches.
    await endClient(sql, () => wires.size > 0, 600_000);
    expect(wires.size).toBe(0);
  });

  testBare('keeps the bare driver from ending, however much else is done', async () => {
    const sql = clients.bare(database.ownerConnection);
    await loseStatement(sql);
    let isOver = false;
    void sql.end().then(() => (isOver = true));
    for (let n = 0; n < 200; n += 1) await owner`select`;
    expect(isOver).toBe(false);
  });
});

/**
 * What a parameter of each type is read back as, and what it is when the server has lost the prepared
 * statement.
 */
const values: Record<string, { write: unknown; cast: string; read: unknown }> = {
  true: { write: true, cast: 'bool', read: true },
  false: { write: false, cast: 'bool', read: false },
  bytes: { write: Buffer.from('\\x41 and \0'), cast: 'bytea', read: Buffer.from('\\x41 and \0') },
  instant: {
    write: new Date('2026-02-28T23:59:59.123Z'),
    cast: 'timestamptz',
    read: new Date('2026-02-28T23:59:59.123Z'),
  },
  integer: { write: -7, cast: 'int', read: -7 },
  float: { write: 0.1, cast: 'float8', read: 0.1 },
  bigint: { write: 9_007_199_254_740_993n, cast: 'bigint', read: '9007199254740993' },
  text: { write: 'true', cast: 'text', read: 'true' },
  integers: { write: [1, 2, 3], cast: 'int[]', read: [1, 2, 3] },
  'no integers': { write: [], cast: 'int[]', read: [] },
  texts: {
    write: ['', 'a,b', '"', '\\', '{}', 'NULL', 'two\nlines', null],
    cast: 'text[]',
    read: ['', 'a,b', '"', '\\', '{}', 'NULL', 'two\nlines', null],
  },
  uuids: {
    write: ['00000000-0000-4000-8000-000000000001'],
    cast: 'uuid[]',
    read: ['00000000-0000-4000-8000-000000000001'],
  },
  json: { write: { a: [true, null, 'x'] }, cast: 'json', read: { a: [true, null, 'x'] } },
};

describe('a statement that the server lost or replans is prepared again with the same parameters', () => {
  const loses: Record<string, (sql: postgres.Sql) => Promise<unknown>> = {
    'it was deallocated': (sql) => sql`deallocate all`.simple(),
    'its result has another type': (sql) => sql`alter table changing alter column it type bigint`.simple(),
  };
  const asked = async (
    kind: Kind,
    { write, cast }: (typeof values)[string],
    lose: (sql: postgres.Sql) => Promise<unknown>,
  ) =>
    using(kind, async (sql) => {
      await sql`drop table if exists changing`.simple();
      await sql`create table changing (it int)`.simple();
      await sql`insert into changing values (1)`.simple();
      const ask = async () =>
        (await sql`select ${write as never}::${sql.unsafe(cast)} as read, changing.* from changing`)[0]!.read;
      const before = await ask();
      await lose(sql);
      return { before, after: await ask() };
    });

  for (const [how, lose] of Object.entries(loses)) {
    test(`when ${how}`, async () => {
      for (const [name, value] of sampled(Object.entries(values), 2))
        expect({ name, ...(await asked('ours', value, lose)) }).toEqual({
          name,
          before: value.read,
          after: value.read,
        });
    });
    testBare(`when ${how}, the bare driver says false for true`, async () => {
      expect(await asked('bare', values.true!, lose)).toEqual({ before: true, after: false });
    });
  }
});

describe('a server that closes each connection before it is open', () => {
  const refused = async (kind: Kind) => {
    let opened = 0;
    const server = createServer((socket) => {
      opened += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const to = { host: '127.0.0.1', port, user: 'x', database: 'x' };
    try {
      return await using(
        kind,
        (sql) => {
          const again = new Promise<string>((resolve) => {
            server.on('connection', () => opened >= 20 && resolve('it tries for ever'));
          });
          return Promise.race([codeOf(sql`select 1`), again]);
        },
        to,
      );
    } finally {
      server.close();
    }
  };
  test('is an error of the statement', async () => {
    expect(await refused('ours')).toMatch(/^(CONNECTION_CLOSED|ECONNRESET)$/);
  });
  testBare('the bare driver tries again for ever', async () => {
    expect(await refused('bare')).toBe('it tries for ever');
  });
});

test('a server that asks for a password and ends the connection in one packet is an error', async () => {
  const message = (letter: string, body: string) => {
    const head = Buffer.from(`${letter}\0\0\0\0`);
    head.writeUInt32BE(4 + Buffer.byteLength(body), 1);
    return Buffer.concat([head, Buffer.from(body)]);
  };
  const askPassword = message('R', '\0\0\0\x0aSCRAM-SHA-256\0\0');
  const stop = message('E', 'SFATAL\0C08P01\0Mserver shutting down\0\0');
  const server = createServer((socket) => {
    socket.on('data', () => socket.end(Buffer.concat([askPassword, stop])));
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const to = { host: '127.0.0.1', port, user: 'x', database: 'x', password: 'x' };
  const codes = await using(
    'ours',
    async (sql) => [await codeOf(sql`select 1`), await codeOf(sql`select 2`)],
    to,
  );
  server.close();
  expect(codes).toEqual(['08P01', '08P01']);
});

test('a new connection prepares only what it runs; the bare driver asks for types as well', async () => {
  const statementsOf = (kind: Kind) =>
    using(
      kind,
      async (sql) => (await sql`select count(*)::int as count from pg_prepared_statements`)[0]!.count,
    );
  expect(await statementsOf('ours')).toBe(1);
  expect(await statementsOf('bare')).toBe(2);
});

const pidOf = async (sql: postgres.Sql): Promise<number> =>
  (await sql`select pg_backend_pid() as pid`)[0]!.pid;

/** Ends a backend, and resolves when it is gone. */
async function kill(pid: number): Promise<void> {
  await owner`select pg_terminate_backend(${pid}, 20000)`;
}

describe('a transaction whose connection is lost', () => {
  beforeAll(async () => {
    await owner`create table outside (it int)`.simple();
  });

  const lost: Record<string, (tx: postgres.Sql, pid: number) => Promise<unknown>> = {
    'in a statement': async (tx) => tx`select pg_terminate_backend(pg_backend_pid())`,
    'between two statements': async (tx, pid) => {
      await kill(pid);
      await tx`insert into outside values (1)`;
    },
    'in a statement, and goes on': async (tx, pid) => {
      const statement = codeOf(tx`select pg_sleep(600)`);
      await kill(pid);
      await statement;
      await codeOf(tx`insert into outside values (2)`);
      await owner`select pg_sleep(0)`;
      await codeOf(tx`insert into outside values (3)`);
    },
    'before its commit': (_, pid) => kill(pid),
    'in a savepoint': (tx, pid) =>
      (tx as unknown as postgres.TransactionSql).savepoint(async (inner) => {
        await kill(pid);
        await inner`insert into outside values (4)`;
      }),
  };
  for (const [when, run] of sampled(Object.entries(lost), 2)) {
    test(`fails, and none of its statements runs outside of it: ${when}`, async () => {
      await using('ours', async (sql) => {
        for (let n = 0; n < 3; n += 1) {
          const failed = codeOf(sql.begin(async (tx) => run(tx as never, await pidOf(tx as never))));
          expect(await failed).toMatch(/^(57P01|CONNECTION_CLOSED|EPIPE|ECONNRESET)$/);
          expect([...(await sql`select ${n}::int as n`)]).toEqual([{ n }]);
        }
        expect([...(await sql`select * from outside`)]).toEqual([]);
      });
    });
  }

  testBare('the bare driver ends the process', async () => {
    const script = `
      import postgres from 'postgres';
      const sql = postgres({ ...JSON.parse(process.argv[1]), max: 1 });
      await sql.begin((tx) => tx\`select pg_terminate_backend(pg_backend_pid())\`).catch(() => {});
      await sql.end();`;
    const child = execFile(process.execPath, [
      '--input-type=module',
      '-e',
      script,
      JSON.stringify(database.ownerConnection),
    ]);
    let said = '';
    child.stderr!.on('data', (text) => (said += text));
    const [code] = await once(child, 'close');
    expect(code).toBe(1);
    expect(said).toContain("reading 'write'");
  });
});

describe('a connection that is lost in the middle of an answer', () => {
  const first = (kind: Kind) =>
    using(kind, async (sql) => {
      await codeOf(sql`select pg_terminate_backend(pg_backend_pid())`);
      const rows = await sql`select 1 as n`.catch(() => sql`select 1 as n`);
      return [...rows];
    });
  test('leaves no row to the next answer', async () => {
    expect(await first('ours')).toEqual([{ n: 1 }]);
  });
  test('nor half a row', async () => {
    await using('ours', async (sql) => {
      const pid = await pidOf(sql);
      let rows = 0;
      const answer = codeOf(
        sql`select repeat('x', 3000000) as x from generate_series(1, 40)`.forEach(async () => {
          rows += 1;
          if (rows === 2) await kill(pid);
        }),
      );
      await answer;
      expect([...(await sql`select 1 as n`)]).toEqual([{ n: 1 }]);
    });
  });
  testBare('the bare driver gives it one row too many', async () => {
    expect(await first('bare')).toEqual([undefined, { n: 1 }]);
  });
});

test('a connection that is lost before a statement was flushed is replaced by one that works', async () => {
  const wires = new Set<Wire>();
  const sql = openClient(database.ownerConnection, { max: 1, wires });
  try {
    for (let n = 0; n < 5; n += 1) {
      await sql`select 1`;
      const statement = codeOf(sql`select 2`);
      // The driver has the statement after a microtask, and flushes it at the end of the turn.
      await Promise.resolve().then(() => {});
      for (const wire of wires) wire.fail(Object.assign(new Error('lost'), { code: 'LOST' }));
      expect(await statement).toMatch(/LOST|CONNECTION_CLOSED/);
      expect([...(await sql`select ${n}::int as n`)]).toEqual([{ n }]);
    }
  } finally {
    await sql.end({ timeout: 0 });
  }
});

describe('a socket that drains late, between two statements of a transaction', () => {
  /** Whether another caller's statement runs within the transaction. `drain` makes the sockets drain. */
  async function isShared(sql: postgres.Sql, drain: (tx: postgres.TransactionSql) => unknown) {
    let other: PromiseLike<postgres.Row[]>;
    const own = await sql.begin(async (tx) => {
      await drain(tx);
      other = sql`select pg_current_xact_id()::text as id`.execute();
      await owner`select`;
      return (await tx`select pg_current_xact_id()::text as id`)[0]!.id;
    });
    const [{ id }] = (await other!) as unknown as [{ id: string }];
    await sql.end({ timeout: 0 });
    return id === own;
  }
  /** Far more than a socket takes at once. */
  const large = 'x'.repeat(8_000_000);

  test('lets nobody else in', async () => {
    const wires = new Set<Wire>();
    const sql = openClient(database.ownerConnection, { max: 1, wires });
    let drained = 0;
    const isIn = await isShared(sql, async (tx) => {
      for (const wire of wires) wire.on('drain', () => (drained += 1));
      await tx`select length(${large})`;
    });
    expect({ isIn, drained }).toEqual({ isIn: false, drained: 0 });
  });
  testBare('lets others in on the bare driver', async () => {
    const { path, port, host } = database.ownerConnection as Exclude<Connection, string>;
    const sockets: Socket[] = [];
    const open = () => {
      sockets.push(path === undefined ? connect(port, host) : connect(path));
      return sockets.at(-1);
    };
    const sql = postgres({ ...(database.ownerConnection as object), max: 1, socket: open } as object);
    expect(await isShared(sql, () => sockets.at(-1)!.emit('drain'))).toBe(true);
  });
});
