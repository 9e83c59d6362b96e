import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import { type Connection, openClient } from '../../src/db/driver/client.ts';
import { asUnavailable } from '../../src/platform/database-faults.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

/** Of a server that nobody trusts: made for this test. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZJNNl5kIMzQimdfB
goIaKLhsvpD8jxboaYC2W2X0ERqhRANCAARmH7uO9xCuH971HWQn93D/JZ9PTQoy
/pg/pJMopAy9qEaf36e3+Vn1hl1fRsRq6OYrDQ8Mqmg4o2uocC7cd6W1
-----END PRIVATE KEY-----`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBfzCCASWgAwIBAgIUK4nPjCBBWuHs3O/WtH5q+p0dY00wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDA0MzY0OVoYDzIxMjYxMTA2
MDQzNjQ5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARmH7uO9xCuH971HWQn93D/JZ9PTQoy/pg/pJMopAy9qEaf36e3+Vn1
hl1fRsRq6OYrDQ8Mqmg4o2uocC7cd6W1o1MwUTAdBgNVHQ4EFgQU3RbvRp06g+3g
q3eNM2ypoiJTxZswHwYDVR0jBBgwFoAU3RbvRp06g+3gq3eNM2ypoiJTxZswDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiAlZONv2GpHhQn2sbwLVUVU
arY+kza4vkAnXqamRvsEBQIhAN8f8rECzgIc5ohgFyCAmsoOb1DxLUTTWLJzdEs2
tPTm
-----END CERTIFICATE-----`;

/** A way to the database by TLS, whose connections can be disturbed. */
async function openTlsDoor(to: Connection) {
  const { path, port, host } = to as Exclude<Connection, string>;
  const sockets: Socket[] = [];
  const held = <S extends Socket>(socket: S): S => {
    sockets.push(socket.on('error', () => {}));
    return socket;
  };
  const tls = createTlsServer({ key, cert }, (outside) => {
    held(outside)
      .pipe(held(path === undefined ? connect(port, host) : connect(path)))
      .pipe(outside);
  }).listen(0, '127.0.0.1');
  const clients: Socket[] = [];
  const server = createServer((client) => {
    clients.push(held(client));
    client.once('data', () => {
      client.write('S');
      const inside = held(connect((tls.address() as AddressInfo).port, '127.0.0.1'));
      client.pipe(inside).pipe(client);
    });
  }).listen(0, '127.0.0.1');
  await Promise.all([once(tls, 'listening'), once(server, 'listening')]);
  return {
    port: (server.address() as AddressInfo).port,
    /** Something else gets into the line. */
    disturb() {
      for (const client of clients) client.write('this is no record of TLS');
    },
    [Symbol.dispose]() {
      for (const one of [server, tls]) one.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test('a statement whose encrypted connection is disturbed may have been executed', async () => {
  await using own = await createTestDatabase();
  using door = await openTlsDoor(own.ownerConnection);
  const { user, database } = own.ownerConnection as Exclude<Connection, string>;
  const sql = openClient(`postgres://${user}@127.0.0.1:${door.port}/${database}?sslmode=require`, { max: 1 });
  await sql`select 1`;
  const statement = sql`select pg_sleep(600)`.then(String, (error) => error);
  const owner = openClient(own.ownerConnection, { max: 1 });
  await eventually(
    async () => (await owner`select from pg_stat_activity where wait_event = 'PgSleep'`).length > 0,
  );
  door.disturb();
  const error = await statement;
  expect(error.code).toBe('CONNECTION_BROKEN');
  expect(asUnavailable(error)).toMatchObject({ name: 'Unavailable', nothingWritten: false });
  await Promise.all([sql.end({ timeout: 0 }), owner.end({ timeout: 0 })]);
});
