import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildExplorer } from '../../src/dev/explorer/build.ts';
import { asOperator, asRequester, basic } from '../support/gateway.ts';
import { lowCost } from '../support/low-cost.ts';

let directory: string;
let app: App;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-demo-'));
  await buildExplorer();
  app = await createApp(readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' }), {
    passwordCost: lowCost,
  });
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** One request with exactly these headers, Host among them. */
async function ask(path: string, headers: Record<string, string>, body?: string) {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  const req = request(new URL(path, app.url), { method: body === undefined ? 'GET' : 'POST', headers });
  req.on('error', reject);
  req.on('response', async (res) => resolve({ status: res.statusCode!, text: await text(res) }));
  req.end(body);
  return promise;
}
const json = { 'content-type': 'application/json' };
const viewer = (headers: Record<string, string>) =>
  ask('/graphql', { authorization: asOperator, ...json, ...headers }, '{"query":"{viewer{login}}"}');
const doors = (headers: Record<string, string>) => ({
  graphql: () => viewer(headers),
  'graphql as a requester': () => viewer({ authorization: asRequester, ...headers }),
  'graphql with the login in capitals': () =>
    viewer({ authorization: basic('OPERATOR', 'operator'), ...headers }),
  legacy: () =>
    ask(
      '/api/Tickets/NewMessage',
      { authorization: asOperator, ...json, ...headers },
      '{"TicketREF":"INC-000047","Message":"x"}',
    ),
  inbox: () => ask('/inbox/', { authorization: asOperator, ...headers }),
  uploads: () => ask('/uploads', { authorization: asOperator, ...headers }, 'bytes'),
  attachments: () => ask('/attachments/x', { authorization: asOperator, ...headers }),
});

const indirect: [string, Record<string, string>][] = [
  ['a Host that somebody made to lead here', { host: 'rebound.example' }],
  ['a Host that begins like ours', { host: 'localhost.evil.example' }],
  ['a Host that ends like ours', { host: '127.0.0.1.nip.example' }],
  ['an address of the network', { host: '192.168.1.2:4000' }],
  ['X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }],
  ['X-Forwarded-Host', { 'x-forwarded-host': 'localhost' }],
  ['X-Forwarded-Proto', { 'x-forwarded-proto': 'https' }],
  ['Forwarded', { forwarded: 'for=127.0.0.1' }],
  ['Via', { via: '1.1 proxy' }],
  ['X-Real-IP', { 'x-real-ip': '127.0.0.1' }],
  ['CF-Connecting-IP', { 'cf-connecting-ip': '127.0.0.1' }],
];

describe.for(indirect)('the demo’s passwords are refused at every door with %s', ([, headers]) => {
  test('after they were good for a direct request, too', async () => {
    expect((await viewer({})).status).toBe(200);
    for (const [door, call] of Object.entries(doors(headers)))
      expect([door, (await call()).status]).toEqual([door, 401]);
  });

  test('and the page is served without them', async () => {
    const page = await ask('/graphql', { accept: 'text/html', ...headers });
    expect(page.status).toBe(200);
    expect(page.text).toContain('id="settings"');
    expect(page.text).not.toContain(asOperator.slice('Basic '.length));
  });
});

test.for(['localhost', 'LOCALHOST:1', '127.0.0.1', '127.9.9.9:4000', '[::1]:4000'])(
  'the demo’s passwords are good with the Host %s',
  async (host) => {
    const answer = await viewer({ host });
    expect(JSON.parse(answer.text)).toEqual({ data: { viewer: { login: 'operator' } } });
    const page = await ask('/graphql', { accept: 'text/html', host });
    expect(page.text).toContain(asOperator);
  },
);

test('a request in HTTP/1.0, as nginx passes on unless told otherwise, is not direct', async () => {
  const socket = connect(Number(new URL(app.url!).port), '127.0.0.1');
  socket.write(`GET /inbox/ HTTP/1.0\r\nHost: localhost\r\nAuthorization: ${asOperator}\r\n\r\n`);
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 /);
});

test('a user’s own password and token are good from everywhere', async () => {
  const { openDesk } = await import('../../src/cli/open-desk.ts');
  const { hashPassword } = await import('../../src/auth/passwords.ts');
  const { createToken } = await import('../../src/auth/tokens.ts');
  const { users } = await import('../../src/db/tables.ts');
  await using desk = await openDesk(readConfig({ DATA_DIR: directory }));
  const passwordHash = await hashPassword('correct horse', lowCost);
  const [own] = await desk.db
    .insert(users)
    .values({ login: 'jane', name: 'Jane', role: 'OPERATOR', passwordHash })
    .returning();
  const { token } = await createToken(desk.db, { userId: own!.id, name: 't', scopes: ['read'] });
  for (const authorization of [basic('jane', 'correct horse'), `Bearer ${token}`])
    expect((await viewer({ authorization, host: 'desk.example' })).status).toBe(200);
});
