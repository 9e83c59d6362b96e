import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import type { Scope } from '../../src/platform/request-context.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { soaking } from '../support/soak.ts';
import { typeCommand } from './command-line.ts';

let gateway: Gateway;
let directory: string;
let token: string;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-door-'));
  token = await tokenOf('operator', 'read', 'write', 'mail');
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

async function tokenOf(login: string, ...scopes: Scope[]): Promise<string> {
  const [user] = await gateway.sql<{ id: number }[]>`select id from users where login = ${login}`;
  const { desk } = gateway.database.database;
  return (await createToken(desk, { userId: user!.id, name: 'cli', scopes })).token;
}

/** @param words as typed */
async function ticketwire(words: string[], env: Record<string, string> = {}, stdin = '', columns?: number) {
  return typeCommand(words, {
    ...{ env: { TICKETWIRE_URL: gateway.url, TICKETWIRE_TOKEN: token, ...env }, stdin, columns },
  });
}
async function json(words: string[], stdin = '') {
  const { code, out, err } = await ticketwire([...words, '--json'], {}, stdin);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out);
}

test('message add sends text or stdin, files and a mail, once for each key', async () => {
  const file = join(directory, 'Žádost č. 1.txt');
  await writeFile(file, 'bytes of a file');
  const before = await gateway.counts();
  const mailed = [
    '--email',
    'company@domain.com',
    '--cc',
    'a@b.cz',
    '--hold',
    '3600',
    '--key',
    'k-1',
    '-f',
    file,
  ];
  const words = ['message', 'add', 'inc-000047', 'Hello there', ...mailed];
  const added = await json(words);
  expect(added).toMatchObject({
    replayed: false,
    ticketMessage: { visibility: 'PUBLIC', attachments: [{ fileName: 'Žádost č. 1.txt', byteSize: 15 }] },
    delivery: { state: 'HELD' },
  });
  expect(await json(words)).toEqual({ ...added, replayed: true });
  const shown = (await ticketwire(words)).out;
  expect(shown).toMatch(new RegExp(`^MESSAGE +${added.ticketMessage.messageId}$`, 'm'));
  expect(shown).toMatch(/^TO +requester@domain\.com$/m);
  const cancelled = await ticketwire(['delivery', 'cancel', /^DELIVERY +(\d+)$/m.exec(shown)![1]!]);
  expect(cancelled.out).toMatch(/ is CANCELLED\.\n$/);
  const note = await json(['message', 'add', '47', '-', '--private', '--html'], '<p>From stdin</p>\n');
  expect(note.ticketMessage.visibility).toBe('PRIVATE');
  const rows = await gateway.sql`
    select body, format, visibility, (select array_agg(content_type) from attachments
    where message_id = m.id) as types
    from messages m where id in (${added.ticketMessage.messageId}, ${note.ticketMessage.messageId})
    order by id`;
  expect([...rows]).toEqual([
    { body: 'Hello there', format: 'TEXT', visibility: 'PUBLIC', types: ['text/plain'] },
    { body: '<p>From stdin</p>', format: 'HTML', visibility: 'PRIVATE', types: null },
  ]);
  const after = await gateway.counts();
  expect([after.messages, after.attachments, after.deliveries]).toEqual([
    before.messages! + 2,
    before.attachments! + 1,
    before.deliveries! + 1,
  ]);
});

test('without an address, it is the gateway of the same HOST and PORT', async () => {
  const { hostname, port } = new URL(gateway.url);
  const words = ['ticket', 'open', '47'];
  for (const HOST of ['', hostname, '0.0.0.0']) {
    const env = { TICKETWIRE_URL: '', HOST, PORT: port };
    expect(await ticketwire(words, env)).toMatchObject({ code: 0, err: '' });
  }
});

test('ticket close and open, delivery list, cancel and resolve do what their mutations do', async () => {
  expect((await ticketwire(['ticket', 'close', 'INC-000047'])).out).toBe('INC-000047 is closed.\n');
  expect((await ticketwire(['ticket', 'close', '47'])).out).toBe('INC-000047 was closed already.\n');
  expect(await json(['ticket', 'open', '47'])).toEqual({
    changed: true,
    reference: 'INC-000047',
    status: 'OPEN',
  });
  await json(['ticket', 'close', '47']);
  await json(['message', 'add', '47', 'Again', '--reopen']);
  expect(await json(['ticket', 'open', '47'])).toMatchObject({ changed: false, status: 'OPEN' });
  const email = ['--email', 'company@domain.com'];
  const { delivery } = await json(['message', 'add', '47', 'x', ...email, '--hold', '3600']);
  const nowhere = await ticketwire(['delivery', 'list', '--ticket', 'INC-999999']);
  expect(nowhere).toEqual({ code: 1, out: '', err: 'There is no such ticket\n' });
  const listed = await json(['delivery', 'list', '--state', 'held', '--ticket', 'INC-000047']);
  expect(listed.map(({ id }: { id: string }) => id)).toContain(delivery.id);
  const table = (await ticketwire(['delivery', 'list', '--state', 'HELD'])).out;
  const number = /^(\d+) /m.exec(table.split('\n')[1]!)![1]!;
  expect((await ticketwire(['delivery', 'cancel', number])).out).toBe(`Delivery ${number} is CANCELLED.\n`);
  const refused = await ticketwire(['delivery', 'cancel', number]);
  expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^DELIVERY_STATE: /) });
  const unknown = await json(['message', 'add', '47', 'y', ...email]);
  await gateway.sql`update deliveries set state = 'OUTCOME_UNKNOWN'
    where message_id = ${unknown.ticketMessage.messageId}`;
  await gateway.sql`update delivery_recipients r set state = 'OUTCOME_UNKNOWN' from deliveries d
    where d.id = r.delivery_id and d.state = 'OUTCOME_UNKNOWN'`;
  const resolved = await json(['delivery', 'resolve', unknown.delivery.id, '--as', 'sent']);
  expect(resolved.state).toBe('SENT');
  await gateway.sql`update deliveries set state = 'FAILED'
    where message_id = ${unknown.ticketMessage.messageId}`;
  await gateway.sql`update delivery_recipients r set state = 'FAILED' from deliveries d
    where d.id = r.delivery_id and d.state = 'FAILED'`;
  expect(await json(['delivery', 'list', '--failed'])).toHaveLength(1);
  expect((await json(['delivery', 'retry', unknown.delivery.id])).state).toBe('QUEUED');
});

test('delivery list has the newest mails, the newest first, and fits the terminal', async () => {
  const added: string[] = [];
  for (const body of ['first', 'second', 'third']) {
    const words = ['message', 'add', '46', body, '--email', 'company@domain.com', '--hold', '3600'];
    added.unshift((await json(words)).delivery.id);
  }
  const ofTicket = ['delivery', 'list', '--ticket', '46'];
  const ids = async (...words: string[]) =>
    (await json([...ofTicket, ...words])).map(({ id }: { id: string }) => id);
  expect(await ids()).toEqual(added);
  expect(await ids('--limit', '2')).toEqual(added.slice(0, 2));
  const { out } = await ticketwire(ofTicket, {}, '', 100);
  expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});

test('message redact and attachment redact empty what they name, once, and say who may not', async () => {
  const file = join(directory, 'password.txt');
  await writeFile(file, 'hunter2');
  const { ticketMessage } = await json(['message', 'add', '47', 'My password is hunter2', '-f', file]);
  const [latest] = await gateway.sql<{ messageId: number; fileId: number }[]>`
    select message_id as "messageId", id as "fileId" from attachments order by id desc limit 1`;
  const { messageId, fileId } = latest!;
  const admin = { TICKETWIRE_TOKEN: await tokenOf('operator', 'read', 'admin') };
  const redact = (word: string, id: unknown, env: Record<string, string> = admin) =>
    ticketwire([word, 'redact', String(id), '--reason', 'a pasted password'], env);
  expect(await redact('attachment', fileId, {})).toMatchObject({
    ...{ code: 1, out: '', err: expect.stringMatching(/^FORBIDDEN: /) },
  });
  expect((await redact('attachment', fileId)).out).toBe(`The attachment ${fileId} is redacted.\n`);
  expect((await redact('message', ticketMessage.id)).out).toBe(`The message ${messageId} is redacted.\n`);
  expect((await redact('message', messageId)).out).toBe(`The message ${messageId} was redacted already.\n`);
  expect((await redact('message', 'TXT')).code).toBe(2);
  const [row] = await gateway.sql`select body, redacted_at is not null as redacted from messages
    where id = ${messageId}`;
  expect(row).toEqual({ body: '', redacted: true });
  expect(
    await gateway.sql`select action, details->>'reason' as reason from audit_entries
    where message_id = ${messageId} order by id`,
  ).toEqual([
    { action: 'ATTACHMENT_REDACTED', reason: 'a pasted password' },
    { action: 'MESSAGE_REDACTED', reason: 'a pasted password' },
  ]);
});

test('a refusal, a wrong token and a server that is no gateway are reported, and not retried', async () => {
  let calls = 0;
  await using other = await serve((_req, res) => {
    calls += 1;
    res.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>');
  });
  const cases: [string[], Record<string, string>, string | RegExp][] = [
    [['message', 'add', 'INC-9', 'x'], {}, 'TICKET_NOT_FOUND: There is no such ticket\n'],
    [['message', 'add', '47', ' '], {}, /^INVALID_INPUT: .*\n {2}body: /],
    [['ticket', 'close', '47'], { TICKETWIRE_TOKEN: await tokenOf('requester', 'write') }, /^FORBIDDEN: /],
    [
      ['ticket', 'close', '47'],
      { TICKETWIRE_TOKEN: 'tw_none' },
      `${gateway.url} rejected the token in TICKETWIRE_TOKEN\n`,
    ],
    [
      ['ticket', 'close', '47'],
      { TICKETWIRE_URL: other.url },
      `${other.url}/graphql is not a Ticketwire gateway: it responds with 404\n`,
    ],
  ];
  for (const [words, env, err] of cases) {
    const answer = await ticketwire(words, env);
    expect([words, answer]).toEqual([
      words,
      { code: 1, out: '', err: typeof err === 'string' ? err : expect.stringMatching(err) },
    ]);
  }
  expect(calls).toBe(1);
});

test('a token or an address that is none is told at once, is not shown, and nothing is sent', async () => {
  let calls = 0;
  await using other = await serve((_req, res) => {
    calls += 1;
    res.writeHead(503).end();
  });
  const bad = ['Bearer tw_x', '"tw x"', 'tw_x\n', 'tw_x ', 'tw_\u017e', 'ID  7\nTOKEN  tw_x', '\t'];
  for (const [at, value] of bad.entries()) {
    const env = { TICKETWIRE_URL: other.url, TICKETWIRE_TOKEN: value };
    const { code, out, err } = await ticketwire(['ticket', 'close', '47'], env);
    expect([at, code, out, err.split('\n')[0]]).toEqual([at, 2, '', 'TICKETWIRE_TOKEN is not a token']);
    expect(err).not.toContain('tw_');
  }
  const withUser = other.url.replace('://', '://olga:hunter2@');
  for (const address of [withUser, withUser.replace('http:', 'ftp:'), withUser.replace('://', ':/')])
    for (const command of ['ticket close 47', 'events --follow']) {
      const { code, out, err } = await ticketwire(command.split(' '), { TICKETWIRE_URL: address });
      expect([address, code, out, err]).toEqual([address, 2, '', expect.stringMatching(/^TICKETWIRE_URL /)]);
      expect(err).not.toContain('hunter2');
    }
  const option = await ticketwire(['ticket', 'close', '47', '--token', 'a b'], { TICKETWIRE_URL: other.url });
  expect([option.code, option.err]).toEqual([2, expect.stringMatching(/^--token is not a token/)]);
  const empty = await ticketwire(['ticket', 'close', '47'], { TICKETWIRE_TOKEN: '' });
  expect([empty.code, empty.err]).toEqual([2, expect.stringMatching(/^TICKETWIRE_TOKEN is missing\. /)]);
  expect(calls).toBe(0);
});

type Handle = (req: IncomingMessage, res: ServerResponse) => void;
async function serve(handle: Handle) {
  const server = createServer(handle).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => void server.close(() => resolve()));
    },
  };
}

/** Sends the head of a response and the beginning of its body, and then breaks the connection. */
const breakOff: Handle = (req, res) => {
  req.resume().once('end', () => {
    res.writeHead(200, { 'content-length': '1000' });
    res.write('{"data":', () => req.socket.resetAndDestroy());
  });
};

test.runIf(process.platform === 'linux')('a file of the kernel is sent with what it contains', async () => {
  const path = '/proc/sys/kernel/ostype';
  const { ticketMessage } = await json(['message', 'add', '47', 'The system is attached.', '-f', path]);
  expect(ticketMessage.attachments).toEqual([{ fileName: 'ostype', byteSize: 'Linux\n'.length }]);
});

test('a gateway that is away, busy or disconnects is retried with one key: one message', async () => {
  const file = join(directory, 'large.bin');
  await writeFile(file, Buffer.alloc(300_000, 7));
  const faults: Handle[] = [
    (req, res) => void req.resume().once('end', () => res.writeHead(503, { 'retry-after': '0' }).end('{}')),
    (req, res) => void req.resume().once('end', () => res.writeHead(429, { 'retry-after': '0' }).end('{}')),
    (req) => void req.once('data', () => req.socket.destroy()),
    breakOff,
  ];
  const keys = new Set<string>();
  await using between = await serve((req, res) => {
    const fault = faults.shift();
    if (fault !== undefined) return fault(req, res);
    void text(req).then((body) => keys.add(/"idempotencyKey":"([^"]+)"/.exec(body)![1]!));
    const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => name !== 'host'));
    void fetch(gateway.url + req.url, {
      method: 'POST',
      headers: headers as Record<string, string>,
      body: Readable.toWeb(req) as never,
      duplex: 'half',
    } as never).then(async (answer) => {
      res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type')! });
      res.end(await answer.text());
    });
  });
  const before = await gateway.counts();
  const { code, out, err } = await ticketwire(['message', 'add', '47', 'again', '-f', file, '--json'], {
    TICKETWIRE_URL: between.url,
  });
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(JSON.parse(out).ticketMessage.attachments).toEqual([{ fileName: 'large.bin', byteSize: 300_000 }]);
  expect(faults).toHaveLength(0);
  expect((await gateway.counts()).messages).toBe(before.messages! + 1);
});

test('a command that must not be repeated says that its answer broke off, and ends', async () => {
  let calls = 0;
  await using between = await serve((req, res) => {
    calls += 1;
    breakOff(req, res);
  });
  const answer = await ticketwire(['delivery', 'resolve', '1', '--as', 'resend'], {
    TICKETWIRE_URL: between.url,
  });
  expect(answer).toEqual({
    code: 1,
    out: '',
    err: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+ broke off its answer \([A-Z_]+\)\n$/),
  });
  expect(calls).toBe(1);
});

test('the process itself: version, help and a message are typed, without a database', async () => {
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const typed = (...words: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { ...process.env, TICKETWIRE_URL: gateway.url, TICKETWIRE_TOKEN: token };
      const child = execFile(process.execPath, [main, ...words], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
      child.stdin!.end('typed by a process\n');
    });
  const added = await typed('message', 'add', '47', '--json');
  // Whatever the command, a process loads the same.
  const type = soaking ? typed : (...words: string[]) => ticketwire(words);
  const [version, help] = [await type('--version'), await type('message', 'add', '--help')];
  expect(version).toEqual({ code: 0, out: expect.stringMatching(/^ticketwire \d+\.\d+\.\d+\n$/), err: '' });
  expect({ code: added.code, err: added.err }).toEqual({ code: 0, err: '' });
  expect(help.out).toContain('Example: ticketwire message add INC-000047');
  const [row] =
    await gateway.sql`select body from messages where id = ${JSON.parse(added.out).ticketMessage.messageId}`;
  expect(row!.body).toBe('typed by a process');
});

test('doctor tries every setting, says which is wrong, and its exit code tells', async () => {
  const blobs = pathToFileURL(join(directory, 'blobs')).href;
  const wrong = {
    DATABASE_URL: 'postgres://x@127.0.0.1:1/desk',
    SMTP_URL: 'smtp://127.0.0.1:1',
    BLOBS_URL: 'file:///proc/nope',
  };
  const jwt = {
    JWT_JWKS_URL: `${gateway.url}/nothing`,
    JWT_ISSUER: 'i',
    JWT_AUDIENCE: 'a',
    CLAMD_URL: 'clamd://127.0.0.1:1',
    TRUSTED_DOCUMENTS: directory,
    OTEL_EXPORTER_OTLP_ENDPOINT: gateway.url,
  };
  const told = async (env: Record<string, string>) => {
    const { code, out } = await ticketwire(['doctor', '--json'], env);
    const found = JSON.parse(out) as { check: string; result: string; detail: string }[];
    return { code, results: Object.fromEntries(found.map(({ check, result }) => [check, result])), found };
  };
  const bad = await told({ ...wrong, ...jwt });
  expect({ code: bad.code, results: bad.results }).toEqual({
    code: 1,
    results: {
      settings: 'ok',
      DATABASE_URL: 'failed',
      BLOBS_URL: 'failed',
      SMTP_URL: 'failed',
      JWT_JWKS_URL: 'failed',
      CLAMD_URL: 'failed',
      TRUSTED_DOCUMENTS: 'failed',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'failed',
    },
  });
  expect(bad.found.map(({ detail }) => detail).join('\n')).not.toMatch(/ {4}at |undefined|fetch failed/);
  const unread = await told({ PORT: 'http', DATABASE_ULR: 'postgres://x' });
  expect(unread).toMatchObject({ code: 1, results: { PORT: 'failed', DATABASE_ULR: 'failed' } });
  const good = await told({
    DATA_DIR: join(directory, 'none'),
    SMTP_URL: gateway.sink.url,
    BLOBS_URL: blobs,
  });
  expect(good).toMatchObject({
    code: 0,
    results: {
      settings: 'ok',
      DATA_DIR: 'off',
      BLOBS_URL: 'ok',
      SMTP_URL: 'ok',
      JWT_JWKS_URL: 'off',
      CLAMD_URL: 'off',
      TRUSTED_DOCUMENTS: 'off',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'off',
    },
  });
  // The gateway, not whoever ran the doctor, creates its folder.
  expect(await readdir(directory)).not.toContain('blobs');
});

test('doctor names the URL that fails: the owner, the gateway or both', async () => {
  const owner = 'postgres://owner@127.0.0.1:1/desk';
  const env = {
    DATABASE_URL: 'postgres://x@127.0.0.1:1/desk',
    DATABASE_OWNER_URL: owner,
    SMTP_URL: 'inbox:',
  };
  const { code, out } = await ticketwire(['doctor', '--json'], env);
  const found = JSON.parse(out) as { check: string; result: string; detail: string }[];
  expect(code).toBe(1);
  expect(found.filter(({ check }) => /^(DATABASE|SMTP)/.test(check))).toEqual([
    {
      check: 'DATABASE_OWNER_URL',
      result: 'failed',
      detail: expect.stringMatching(/^the database does not/),
    },
    { check: 'DATABASE_URL', result: 'failed', detail: expect.stringMatching(/^the database does not/) },
    { check: 'SMTP_URL', result: 'warning', detail: expect.stringContaining('no mail leaves') },
  ]);
});
