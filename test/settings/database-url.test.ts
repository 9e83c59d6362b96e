import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Connection, inspect } from '../../src/db/database.ts';
import { openClient } from '../../src/db/driver/client.ts';
import { describeDatabaseUrl, readDatabaseUrl } from '../../src/settings/database-url.ts';
import { createTestDatabase } from '../support/database.ts';

type Place = Exclude<Connection, string>;

test.for([
  ['postgres://desk:secret@db/tickets', { host: 'db', port: 5432, user: 'desk', password: 'secret' }],
  ['PostgreSQL://desk@db:6432/tickets', { host: 'db', port: 6432, user: 'desk', password: undefined }],
  ['postgres://desk:a:b@c@db/tickets', { host: 'db', user: 'desk', password: 'a:b@c' }],
  ['postgres://%64esk:%2F%3F%23@db/t%69ckets', { user: 'desk', password: '/?#' }],
  ['postgres://desk@[2001:db8::7]:6432/tickets', { host: '2001:db8::7', port: 6432 }],
  ['postgres://desk@[fe80::1%25eth0]/tickets', { host: 'fe80::1%eth0', port: 5432 }],
  ['postgres://%2Frun%2Fpg:6432/tickets', { host: undefined, path: '/run/pg/.s.PGSQL.6432' }],
  ['postgres:///tickets?host=/run/pg', { host: undefined, path: '/run/pg/.s.PGSQL.5432' }],
  ['postgres://?host=db&port=6432&user=u&password=p&dbname=tickets', { host: 'db', port: 6432, user: 'u' }],
  ['postgres:///tickets', { host: undefined, port: undefined, path: undefined }],
  ['postgres://me@db/tickets?password=p@ss', { user: 'me', password: 'p@ss', host: 'db' }],
  ['postgres://me:p%40s%3Fs@db/tickets?application_name=a%40b', { password: 'p@s?s', host: 'db' }],
  ['postgres://db/tickets?application_name=desk&connect_timeout=9', { connectSeconds: 9 }],
  ['postgres://db/tickets?application_name=desk', { session: { application_name: 'desk' } }],
] as const)('%s', ([text, expected]) => {
  expect(readDatabaseUrl(text)).toMatchObject({ database: 'tickets', ...expected });
});

test.for([
  ['', undefined],
  ['?sslmode=disable', undefined],
  ['?ssl=false', undefined],
  ['?sslmode=allow', { optional: true, verify: false, direct: false }],
  ['?sslmode=prefer', { optional: true, verify: false, direct: false }],
  ['?sslmode=require', { optional: false, verify: false, direct: false }],
  ['?sslmode=verify-ca', { optional: false, verify: true, direct: false }],
  ['?sslmode=verify-full', { optional: false, verify: true, direct: false }],
  ['?ssl=true', { optional: false, verify: true, direct: false }],
  ['?sslrootcert=system', { optional: false, verify: true, direct: false }],
  ['?sslmode=require&sslrootcert=system', { optional: false, verify: true, direct: false }],
  ['?sslmode=require&sslnegotiation=direct', { optional: false, verify: false, direct: true }],
] as const)('TLS by %j', ([query, tls]) => {
  expect(readDatabaseUrl(`postgres://db/tickets${query}`).tls).toEqual(tls);
});

describe('what would be passed to the server, or be ignored, is refused by its name', () => {
  const why = (url: string): string => {
    try {
      return JSON.stringify(readDatabaseUrl(url));
    } catch (error) {
      return (error as Error).message;
    }
  };

  // The first ones would have changed how values are read and written, without an error.
  test.for([
    ...['client_encoding=LATIN1', 'DateStyle=German', 'TimeZone=Asia/Tokyo', 'bytea_output=escape'],
    ...['role=postgres', 'ticketwire.viewer_role=OPERATOR', 'search_path=elsewhere', 'lock_timeout=0'],
    ...['statement_timeout=1', 'schema=public', 'pgbouncer=true', 'connection_limit=5', 'prepare=false'],
    ...['target_session_attrs=any', 'channel_binding=require', 'sslcert=a', 'max=1', 'SSLMODE=require'],
  ])('%s', (parameter) => {
    const [name] = parameter.split('=');
    expect(why(`postgres://desk:canary@db/tickets?${parameter}`)).toMatch(
      /^\w+$/.test(name!) ? `has no parameter ${name}: there are host, ` : 'would not be read as you mean it',
    );
  });

  const unreadable = 'would not be read as you mean it';
  test.for([
    ['postgres://db/tickets?sslmode=enable', 'sslmode must be one of disable, allow, '],
    ['postgres://db/tickets?sslmode=REQUIRE', 'sslmode must be one of disable, allow, '],
    ['postgres://db/tickets?sslmode=', 'gives sslmode no value'],
    ['postgres://db/tickets?sslmode=require&sslmode=disable', 'gives sslmode twice'],
    ['postgres://db/tickets?sslrootcert=/ca.pem', 'sslrootcert must be system: list a CA of your own in'],
    ['postgres://db/tickets?sslnegotiation=direct', 'sslnegotiation needs an sslmode that always encrypts'],
    ['postgres://db/tickets?sslmode=prefer&sslnegotiation=direct', 'sslnegotiation needs an sslmode that'],
    ['postgres://db/tickets?sslmode=prefer&sslrootcert=system', 'sslrootcert needs an sslmode that always'],
    ['postgres://db/tickets?sslmode=disable&sslrootcert=system', 'sslrootcert needs an sslmode that always'],
    ['postgres://db:5433/tickets?port=6000', 'gives the port twice, before and after the question mark'],
    ['postgres://db/tickets?host=other', 'gives the host twice'],
    ['postgres://me@db/tickets?user=you', 'gives the user twice'],
    ['postgres://me:s3cret@db/tickets?password=other', 'gives the password twice'],
    ['postgres://db/tickets?dbname=other', 'gives the dbname twice'],
    ['postgres://db:543210/tickets', 'has a host or port that cannot be read'],
    ['postgres://db/tickets?connect_timeout=0', 'connect_timeout must be a number of seconds from 1 to 999'],
    ['postgres://db/tickets?sslnegotiation=tls', 'sslnegotiation must be postgres or direct'],
    ['postgres://db/tickets?connect_timeout=soon', 'connect_timeout must be a number of seconds'],
    ['postgres://one,two/tickets', 'must name one server'],
    ['postgres://one:5432,two:5433/tickets', 'must name one server'],
    ['postgres:///tickets?host=one,two', 'must name one server'],
    ['postgres://::1/tickets', 'has a host or port that cannot be read'],
    ['postgres://db:65536/tickets', 'has a host or port that cannot be read'],
    ['postgres://db/tickets#main', unreadable],
    ['postgres://db/tickets%00x', unreadable],
    // Each part by itself: the next one may complete an escape.
    ['postgres://u:p%@10.0.0.1/tickets', unreadable],
    ['postgres://u%C5:%99@db/tickets', unreadable],
    ['postgres://u%C5:p@db/%99', unreadable],
    ['postgres://db/tickets?password=caf%E9', unreadable],
    ['postgres://db/tickets?password=a%00b', unreadable],
    ['postgres://desk:12?canary=a@db/tickets', unreadable],
    ['postgres://desk:12#canary@db/tickets', unreadable],
    ['postgres://desk:1@2?canary=a@db/tickets', unreadable],
    ['postgres://desk:1@canary/a@db/tickets', unreadable],
    ['postgres://desk:1@canary?dbname=a@db/tickets', unreadable],
  ])('%s', ([url, message]) => {
    const told = why(url!);
    expect(told).toContain(message);
    expect(told).not.toContain('canary');
  });
});

test('what people are shown of it is server and name', () => {
  const shown = (text: string) => describeDatabaseUrl(text);
  expect(shown('postgres://u:p@[::1]:1/tickets?options=p')).toBe('postgres://[::1]:1/tickets');
  expect(shown('postgres:///tickets?host=/run/pg')).toBe('postgres:///run/pg/.s.PGSQL.5432/tickets');
  expect(shown('postgres://')).toBe('postgres:///');
  expect(shown('postgres://db/tickets')).toBe('postgres://db:5432/tickets');
  expect(shown('postgres:///tickets?port=6000')).toBe('postgres://localhost:6000/tickets');
});

test('a socket file, IPv6 and an escaped name lead to the database', async () => {
  await using made = await createTestDatabase();
  const { path, port, user, database } = made.ownerConnection as Place;
  const folder = dirname(path!);
  await using door = await openIpv6(path!);
  const name = `%${database.charCodeAt(0).toString(16)}${database.slice(1)}`;
  for (const url of [
    `postgres://${user}@/${name}?host=${folder}&port=${port}`,
    `postgres://${user}@${encodeURIComponent(folder)}:${port}/${database}`,
    `postgres://${user}@[::1]:${door.port}/${name}?application_name=odd%20name`,
  ]) {
    expect(await inspect(url)).toMatchObject({ tables: 'same' });
    const sql = openClient(url, { max: 1, applicationName: 'ours' });
    const [row] = await sql`select current_database() as at, current_setting('application_name') as name`;
    expect(row).toEqual({ at: database, name: url.includes('odd') ? 'odd name' : 'ours' });
    await sql.end({ timeout: 1 });
  }
});

/** A server that listens on IPv6 alone, in front of a socket file. */
async function openIpv6(path: string) {
  const server = createServer((client) => {
    const inside = connect(path);
    client.on('error', () => inside.destroy());
    inside.on('error', () => client.destroy());
    client.pipe(inside).pipe(client);
  });
  server.listen({ port: 0, host: '::1', ipv6Only: true });
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
