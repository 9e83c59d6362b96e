import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type Connection, openClient } from '../../src/db/driver/client.ts';
import { between, seeded } from '../crash/support/random.ts';
import { createTestDatabase } from '../support/database.ts';
import { openPoolerDoor } from '../support/servers/pooler-door.ts';

/** A way to the database on which what it says arrives in pieces of a few bytes. */
async function openCrumblingDoor(to: Connection, random: () => number) {
  const { path, port, host } = to as Exclude<Connection, string>;
  const sockets: Socket[] = [];
  const server = createServer({ noDelay: true }, (client) => {
    const inside = path === undefined ? connect(port, host) : connect(path);
    sockets.push(client, inside);
    client.pipe(inside);
    let last = Promise.resolve();
    inside.on('data', (chunk) => {
      last = last.then(async () => {
        for (let at = 0; at < chunk.length; ) {
          const size = between(random, 1, 9);
          client.write(chunk.subarray(at, at + size));
          at += size;
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
    });
    client.on('error', () => {});
    inside.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test.each(['PostgreSQL', 'a pooler'])(
  'answers and errors of %s do not depend on how they are cut into packets',
  async (server) => {
    await using own = await createTestDatabase();
    await using pooler = await openPoolerDoor(own.ownerConnection);
    const behind = server === 'a pooler' ? pooler.through(own.ownerConnection) : own.ownerConnection;
    await using door = await openCrumblingDoor(behind, seeded(7));
    const { user, database } = own.ownerConnection as Exclude<Connection, string>;
    const sql = openClient({ host: '127.0.0.1', port: door.port, user, database }, { max: 1, settings: {} });
    const codeOf = (statement: PromiseLike<unknown>) =>
      Promise.resolve(statement).then(String, (error) => error.code);
    for (let n = 0; n < 5; n += 1) {
      const rows = await sql`select i, repeat('E', i) as text from generate_series(1, ${20 + n}::int) i`;
      expect(rows.map(({ text }) => text.length)).toEqual(Array.from({ length: 20 + n }, (_, i) => i + 1));
      expect(await codeOf(sql`select 1 / ${n - n}::int`)).toBe('22012');
      expect(await codeOf(sql`select nothing from nowhere where ${n}::int = 1`)).toBe('42P01');
      expect(await codeOf(sql`select 1; select 1 / 0`.simple())).toBe('22012');
    }
    const several = await Promise.all([
      codeOf(sql`select 1 / 0`),
      sql`select 'a' as it`.then(([row]) => row!.it),
      codeOf(sql`select 1 / 0`),
      sql`select 'b' as it`.then(([row]) => row!.it),
    ]);
    expect(several).toEqual(['22012', 'a', '22012', 'b']);
    await sql.end({ timeout: 5 });
  },
);
