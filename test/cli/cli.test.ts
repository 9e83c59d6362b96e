import { gzipSync } from 'node:zlib';
import { eq } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import { hashPassword } from '../../src/auth/passwords.ts';
import { openDesk } from '../../src/cli/open-desk.ts';
import { readConfig } from '../../src/config.ts';
import * as tables from '../../src/db/tables.ts';
import { openPassword } from '../../src/mail/smtp/seal-password.ts';
import { createLog } from '../../src/platform/log.ts';
import { openTcpDoor } from '../crash/support/tcp-door.ts';
import { createOlderDatabase } from '../db/upgrade/older-database.ts';
import { shareDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { lowCost } from '../support/low-cost.ts';
import { startScriptedSmtp } from '../support/servers/scripted-smtp.ts';
import { startSmtpSink } from '../support/servers/smtp-sink.ts';
import { soaking } from '../support/soak.ts';
import { typeCommand } from './command-line.ts';

const mailboxKey = 'ab'.repeat(32);

const shared = shareDatabase();

/** A desk, and a command line on it. */
function createWorld(env: Record<string, string> = {}) {
  const world = shared();
  const { desk } = world.database;
  /** @param argv divided at blanks; `_` stands for one. */
  const ticketwire = async (argv: string, stdin: string | Buffer = '') => {
    const words = argv.split(' ').map((word) => word.replaceAll('_', ' '));
    const open = async () => ({
      ...{ db: desk, sql: world.database.raw, config: readConfig(env) },
      async [Symbol.asyncDispose]() {},
    });
    return typeCommand(words, { env, stdin, open });
  };
  return {
    ...world,
    desk,
    ticketwire,
    /** The command's JSON; it must have succeeded. */
    async json(argv: string, stdin = '') {
      const { code, out, err } = await ticketwire(`${argv} --json`, stdin);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      return JSON.parse(out);
    },
  };
}

describe('users', () => {
  test('are added with the password of standard input, and can sign in with it', async () => {
    const world = createWorld();
    const olga = await world.json(
      'user add olga --name Olga_O --role operator --email olga@domain.com',
      'Žluťoučký: 1\n',
    );
    expect(olga).toEqual({
      id: 1,
      login: 'olga',
      name: 'Olga O',
      role: 'OPERATOR',
      email: 'olga@domain.com',
    });
    await using authenticator = createAuthenticator({ db: world.desk, log: createLog('silent') });
    const header = `Basic ${Buffer.from('olga:Žluťoučký: 1').toString('base64')}`;
    expect(await authenticator.authenticate(header, '::1')).toMatchObject({ userId: 1, role: 'OPERATOR' });
    expect(await world.json('user list')).toMatchObject([
      { login: 'olga', password: true, disabledAt: null },
    ]);
    const [audit] = await world.desk.select().from(tables.auditEntries);
    expect(audit).toMatchObject({ action: 'USER_ADDED', actorId: null, details: { userId: 1 } });
  });

  test('are disabled and enabled, and get another password', async () => {
    const world = createWorld();
    await world.json('user add olga --name O --role operator --no-password');
    await world.desk.update(tables.users).set({ passwordHash: await hashPassword('first one', lowCost) });
    const before = await world.desk.select().from(tables.users);
    await world.json('user password OLGA', 'second one');
    const after = await world.desk.select().from(tables.users);
    expect(after[0]!.passwordHash).not.toBe(before[0]!.passwordHash);
    expect((await world.json('user disable olga')).disabledAt).toEqual(expect.any(String));
    expect((await world.json('user enable olga')).disabledAt).toBeNull();
    await world.json('user password olga --remove');
    expect(await world.json('user list')).toMatchObject([{ password: false, disabledAt: null }]);
  });

  const wrong: [argv: string, code: number, says: string, stdin?: Buffer][] = [
    ['user add olga --name O --role boss --no-password', 1, 'role'],
    ['user add a:b --name O --role operator --no-password', 1, 'colon'],
    ['user add olga --name O --role operator --no-password --email a@b@c', 1, 'email'],
    ['user add olga --name O --role operator', 1, 'No password'],
    ['user disable nobody', 1, 'no user'],
    ['user add olga --role operator', 2, '--name NAME is missing: display name.\nUsage: ticketwire user add'],
    ['user add --name O --role operator', 2, 'LOGIN is missing.\nUsage: ticketwire user add LOGIN'],
    ['user add olga oleg --name O --role operator', 2, 'Unexpected argument "oleg"'],
    ['user add olga --name --role operator', 2, '--name needs a value: --name NAME'],
    ['user add olga --no-password=yes --name O --role operator', 2, '--no-password takes no value'],
    ['user list --colour', 2, 'no option --colour'],
    ['user add rene --name Ren\ufffd --role operator --no-password', 2, 'An argument is not UTF-8'],
    [
      'user add rene --name R --role operator',
      1,
      'The password is not UTF-8',
      Buffer.from('ren\xe9', 'latin1'),
    ],
    ['user add olga --nmae O --role operator', 2, 'no option --nmae; did you mean --name?'],
    ['user remove jane', 2, 'There is no command user remove. `ticketwire user --help` lists the commands.'],
    ['user lst', 2, 'There is no command user lst. Did you mean `user list`?'],
    ['usre list', 2, 'Did you mean `user list`?'],
    ['tickets', 2, 'Did you mean `ticket`?'],
    ['event', 2, 'Did you mean `events`? `ticketwire events --help` describes it.'],
    ['--colour', 2, 'There is no command'],
    ['user add JANE --name O --role operator --no-password', 1, 'There is a user with this login already.'],
    ['user edit jane', 1, 'Nothing to change'],
    ['user edit jane --role boss', 1, 'role'],
    ['mailbox edit a@b.cz --name X', 1, 'no mailbox a@b.cz'],
    ['audit --since yesterday', 2, '--since must be a date'],
    ['audit --since 2026-02-30', 2, '--since must be a date'],
    ['audit --since 0000-01-01', 2, '--since must be a date'],
    ['audit --since 2026-11-28T24:00Z', 2, '--since must be a date'],
    ['audit --since 2026-11-28T09:00', 2, '--since must be a date'],
    ['message add 47 Hello', 2, 'TICKETWIRE_TOKEN is missing'],
    ['delivery list --token t --url ftp://x', 2, 'must be http://'],
    ['delivery list --state LOST', 2, '--state must be one of QUEUED, HELD'],
    ['delivery retry twelve --token t', 2, 'twelve is not a delivery'],
    ['message add 47 Hello --cc a@b.cz --token t', 2, '--cc requires --email'],
    ['message add 47 Hello --token t --file /nowhere', 1, '/nowhere cannot be read (ENOENT)'],
    ['token add jane --name t --scope everything', 2, 'everything'],
    ['token add jane --name t --expires-in-days soon', 2, 'whole number'],
    ['token add jane --name t --expires-in-days 2147483647', 2, 'from 1 to 36500'],
    ['token revoke 17', 1, 'no token 17'],
    ['mailbox add nowhere --name X', 1, 'address'],
    ['mailbox add a@b.cz --name X --smtp-url smtp://u:secret@localhost', 1, 'without a password'],
    ['mailbox add a@b.cz --name X --smtp-url http://localhost', 1, 'smtp'],
    ['mailbox add a@b.cz --name X --smtp-url smtp://', 1, 'must have a host'],
    ['mailbox add a@b.cz --name X --smtp-url smtp://u%ser@localhost', 1, 'write a % of the user as %25'],
    ['mailbox add a@b.cz --name X --smtp-url smtp://u@localhost --smtp-password', 1, 'MAILBOX_KEY'],
    ['mailbox add c@d.cz --name X --operator jane', 1, 'jane is a requester: only operators send mail'],
    ['mailbox grant a@b.cz jane', 1, 'no mailbox'],
    ['ticket add --subject X --requester nobody', 1, 'no user'],
    ['ticket add --subject X --requester jane --original-message-id x', 1, 'originalMessageId'],
    ['ticket show INC-9', 1, 'no ticket'],
    ['import /nowhere/at/all', 1, 'no file'],
  ];

  test('wrongly typed or impossible: each says what is wrong, and nothing is written', async () => {
    const world = createWorld();
    await world.json('user add jane --name Jane --role requester --no-password');
    for (const [argv, code, words, stdin] of wrong) {
      const answer = await world.ticketwire(argv, stdin);
      expect([argv, answer]).toEqual([argv, { code, out: '', err: expect.stringContaining(words) }]);
      expect(answer.err).not.toMatch(/ {4}at |Failed query|duplicate key/);
    }
    const { users, apiTokens, mailboxes, tickets, auditEntries } = tables;
    const counts = [users, apiTokens, mailboxes, tickets, auditEntries].map((table) =>
      world.desk.$count(table),
    );
    expect(await Promise.all(counts)).toEqual([1, 0, 0, 0, 1]);
  });
});

test('a token works until it is revoked', async () => {
  const world = createWorld();
  await world.json('user add olga --name O --role operator --no-password');
  const token = await world.json(
    'token add olga --name ci --scope read,write --scope mail --expires-in-days 30',
  );
  expect(token).toMatchObject({ id: 1, login: 'olga', scopes: ['read', 'write', 'mail'] });
  const days = (Date.parse(token.expiresAt) - Date.now()) / 86_400_000;
  expect(days).toBeCloseTo(30, 1);
  const signIn = async () => {
    await using authenticator = createAuthenticator({ db: world.desk, log: createLog('silent') });
    return authenticator.authenticate(`Bearer ${token.token}`, '::1');
  };
  expect((await signIn())!.scopes).toEqual(new Set(['read', 'write', 'mail']));
  await world.json('token revoke 1');
  await expect(signIn()).rejects.toThrow('revoked');
  expect((await world.ticketwire('token add olga --name pipe')).out).toMatch(/^tw_[^\s]+\n$/);
  const list = (await world.ticketwire('token list olga')).out;
  expect(list).toContain('read,write,mail');
  expect(list).not.toContain(token.token);
});

test('a mailbox keeps its SMTP password encrypted, and its operators', async () => {
  const world = createWorld({ MAILBOX_KEY: mailboxKey });
  for (const name of ['olga', 'oleg'])
    await world.json(`user add ${name} --name O --role operator --no-password`);
  await world.json('user add jane --name J --role requester --no-password');
  const added = await world.json(
    'mailbox add Help@domain.com --name Help_Desk --smtp-url smtp://help@smtp.domain.com:587 ' +
      '--smtp-password --operator olga --rate-per-minute 30',
    'pa$$ word\n',
  );
  expect(added).toMatchObject({ id: 1, address: 'Help@domain.com', operators: ['olga'], ratePerMinute: 30 });
  expect(JSON.stringify(added)).not.toContain('pa$$');
  const stored = async () => (await world.desk.select().from(tables.mailboxes))[0]!;
  const open = async () =>
    openPassword((await stored()).smtpPassword!, 'Help@domain.com', Buffer.from(mailboxKey, 'hex'));
  expect(await open()).toBe('pa$$ word');
  await world.json('mailbox password help@domain.com', 'another');
  expect(await open()).toBe('another');

  await world.json('mailbox grant help@domain.com oleg');
  await world.json('mailbox grant help@domain.com olga --remove');
  expect((await world.ticketwire('mailbox grant help@domain.com jane')).err).toContain('requester');
  expect(await world.json('mailbox list')).toMatchObject([{ operators: ['oleg'], smtpPassword: true }]);
  await world.json('mailbox disable help@domain.com');
  expect((await stored()).disabledAt).not.toBeNull();
  await world.json('mailbox enable help@domain.com');
  expect((await stored()).disabledAt).toBeNull();
});

test('editing people and mailboxes changes only the named fields, and the audit log says who', async () => {
  const world = createWorld({ MAILBOX_KEY: mailboxKey });
  await world.json('user add olga --name O --role operator --email o@b.cz --no-password');
  const smtp = '--smtp-url smtp://help@127.0.0.1:587';
  await world.json(`mailbox add help@b.cz --name Help --operator olga ${smtp} --smtp-password`, 'secret');
  const user = await world.json('user edit OLGA --name Olga_Nova --login olga.nova');
  expect(user).toEqual({ id: 1, login: 'olga.nova', name: 'Olga Nova', email: 'o@b.cz', role: 'OPERATOR' });
  const changed = 'mailbox edit HELP@b.cz --signature Bye --rate-per-minute 30 --max-mail-bytes 4096';
  expect(await world.json(changed)).toMatchObject({
    ...{ displayName: 'Help', signature: 'Bye', ratePerMinute: 30, maxMailBytes: 4096, smtpPassword: true },
  });
  // The password was for the other server.
  const moved = await world.json(
    'mailbox edit help@b.cz --smtp-url smtp://help@127.0.0.2:587 --rate-per-minute none',
  );
  expect(moved).toMatchObject({ ratePerMinute: null, smtpPassword: false, signature: 'Bye' });
  await world.json('user edit olga.nova --role requester --email=');
  expect(await world.json('mailbox list')).toMatchObject([{ operators: [] }]);
  const trail = await world.json('audit');
  expect(trail.map(({ action }: { action: string }) => action)).toEqual([
    ...['USER_EDITED', 'MAILBOX_EDITED', 'MAILBOX_EDITED', 'USER_EDITED', 'MAILBOX_ADDED', 'USER_ADDED'],
  ]);
  expect(JSON.stringify(trail)).not.toContain('secret');
  expect(await world.json('audit --action user_added --since 2020-01-01 --limit 5')).toHaveLength(1);
  for (const since of ['2999-01-01', '2999-01-01T00:00Z', '2999-01-01T00:00:00.5+01:00'])
    expect((await world.ticketwire(`audit --since ${since}`)).out).toBe('None.\n');
});

test('an import is read from standard input; dry, it is checked and not written', async () => {
  const world = createWorld();
  const lines = [
    { type: 'user', id: 3, login: 'olga', name: 'Olga', role: 'OPERATOR' },
    { type: 'user', id: 9, login: 'jane', name: 'Jane', role: 'REQUESTER' },
  ];
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  const dry = await world.ticketwire('import - --dry-run', text);
  expect(dry).toEqual({ code: 0, out: 'All 2 lines are valid; nothing was written.\n', err: '' });
  expect(await world.desk.$count(tables.users)).toBe(0);
  expect(await world.json('import /dev/stdin', text)).toMatchObject({ written: { user: 2 } });
  expect(await world.desk.$count(tables.users)).toBe(2);
  const bad = await world.ticketwire('import - --dry-run', '{"type":"user"}');
  expect(bad).toMatchObject({ code: 1, err: expect.stringContaining('line 1: ') });
});

test('an import of a file that is no lines says what it is, once', async () => {
  const world = createWorld();
  const lines = '{"type":"user","id":3,"login":"olga","name":"Olga","role":"OPERATOR"}';
  const files: readonly (readonly [input: string | Buffer, why: RegExp])[] = [
    [gzipSync(lines), /^The input is compressed by gzip: zcat /],
    [Buffer.from(`\ufeff${lines}`, 'utf16le'), /^The input is UTF-16: iconv /],
    [Buffer.from(lines, 'utf16le'), /^The input is UTF-16: iconv /],
    [`[\n${lines}\n]`, /^The input is one list of JSON: jq -c '\.\[\]' /],
    ['{\n  "type": "user"\n}\n', /^The input has JSON over several lines: jq -c \. /],
  ];
  for (const [input, why] of files) {
    const { code, out, err } = await world.ticketwire('import - --dry-run', input);
    expect({ code, out, err }).toEqual({ code: 1, out: '', err: expect.stringMatching(why) });
    expect(err.trim().split('\n')).toHaveLength(1);
  }
  expect(await world.ticketwire('import -', '')).toEqual({ code: 1, out: 'The input is empty.\n', err: '' });
  const folder = await world.ticketwire('import /');
  expect(folder).toEqual({ code: 1, out: '', err: '/ is a folder: name the file in it\n' });
});

test('what an import says of a member is plain, and sends a terminal no escape sequences', async () => {
  const world = createWorld();
  const line = { type: 'user', id: '3', login: '', name: 'x'.repeat(300), role: 'BOSS', '\u009b31m': 1 };
  const { code, err } = await world.ticketwire('import -', JSON.stringify(line));
  expect([code, err.trim().split('\n').sort()]).toEqual([
    1,
    [
      'line 1: "\ufffd31m" is not a field of a user',
      'line 1: id: must be a number',
      'line 1: login: is empty',
      'line 1: name: is longer than 255 characters',
      'line 1: role: must be OPERATOR or REQUESTER, not "BOSS"',
    ],
  ]);
});

test('outbox show says in words whether mails are sent, and why not', async () => {
  const world = createWorld();
  expect((await world.ticketwire('outbox show')).out).toMatch(/^MAILS ARE SENT +yes$/m);
  await world.json('outbox hold --reason the_server_moves');
  const { out } = await world.ticketwire('outbox show');
  expect(out).toMatch(/^MAILS ARE SENT +no: the server moves$/m);
  expect(out).toMatch(/^HELD SINCE +\d{4}-/m);
  await world.json('outbox release');
  await world.database.raw`update outbox_homes set place = 'elsewhere'`;
  expect((await world.ticketwire('outbox show')).out).toMatch(
    /^MAILS ARE SENT +no: this database is a copy/m,
  );
  expect(await world.json('outbox show')).toMatchObject({ sends: false, restored: true });
});

test('a mailbox is tested at its server: greeting, login and a mail; a wrong password is said', async () => {
  const world = createWorld({ MAILBOX_KEY: mailboxKey });
  await using sink = await startSmtpSink();
  await world.json(`mailbox add help@b.cz --name Help --smtp-url ${sink.url}`);
  const tried = await world.ticketwire('mailbox test help@b.cz --to me@b.cz');
  expect(tried).toMatchObject({ code: 0, err: '' });
  expect(tried.out).toContain('The mail to me@b.cz was accepted: 250');
  expect(sink.mails.map(({ from, to }) => ({ from, to }))).toEqual([{ from: 'help@b.cz', to: ['me@b.cz'] }]);
  const head = sink.mails[0]!.source.toString().split('\r\n\r\n')[0]!;
  expect(head).toMatch(/^Message-ID: <[^@]+@b\.cz>$/m);
  sink.setFaults([{ at: 'RCPT', reply: '550 5.1.1 nobody', times: 1 }]);
  expect((await world.ticketwire('mailbox test help@b.cz --to me@b.cz')).err).toContain('550 5.1.1 nobody');
  sink.setFaults([{ at: 'CONNECT', reply: '554 5.7.1 not from there', times: 1 }]);
  expect((await world.ticketwire('mailbox test help@b.cz')).err).toMatch(/: 554 5\.7\.1 not from there$/m);
  // An open connection would keep the command from ending.
  await eventually(() => sink.connections() === 0);
  await world.json('mailbox edit help@b.cz --smtp-url smtp://127.0.0.1:1');
  const away = await world.ticketwire('mailbox test help@b.cz');
  expect(away).toMatchObject({ code: 1, out: '' });
  expect(away.err).toMatch(/^127\.0\.0\.1:1: No answer from the mail server/);
});

test('a mailbox whose domain is not ASCII is tested without SMTPUTF8, as its mails are sent', async () => {
  const world = createWorld({ MAILBOX_KEY: mailboxKey });
  await using server = await startScriptedSmtp({});
  await world.json(`mailbox add hilfe@bücher.example --name Hilfe --smtp-url ${server.url}`);
  const tried = await world.ticketwire('mailbox test hilfe@bücher.example --to me@bücher.example');
  expect(tried).toMatchObject({ code: 0, err: '' });
  expect(server.commands).toContain('MAIL FROM:<hilfe@xn--bcher-kva.example>');
  expect(server.mails.join()).toMatch(/^From: Hilfe <hilfe@xn--bcher-kva\.example>$/m);
});

test('a ticket is opened, listed and shown with all it has', async () => {
  const world = createWorld();
  await world.json('user add jane --name J --role requester --no-password');
  await world.json('user add joe --name J --role requester --no-password');
  const first = await world.json('ticket add --subject My_printer --requester jane');
  expect(first).toMatchObject({ id: 1, reference: 'INC-000001', status: 'OPEN' });
  await world.json(
    'ticket add --subject Other --requester joe --reference REQ/7 --original-message-id <a@b.example>',
  );
  await world.desk.insert(tables.messages).values({
    ticketId: 1,
    authorId: 1,
    body: 'Line one\nline two\u001b]0;owned\u0007',
    format: 'TEXT',
    visibility: 'PRIVATE',
    isMobileDevice: false,
  });
  expect((await world.json('ticket list')).map((ticket: { id: number }) => ticket.id)).toEqual([2, 1]);
  expect(await world.json('audit --ticket REQ/7')).toMatchObject([
    { action: 'TICKET_ADDED', ticket: 'REQ/7' },
  ]);
  expect(await world.json('ticket list --requester jane')).toHaveLength(1);
  expect(await world.json('ticket list --text inc-0000')).toHaveLength(1);
  expect(await world.json('ticket list --text nowhere')).toEqual([]);
  const shown = await world.ticketwire('ticket show inc-000001');
  expect(shown.out).toContain('PRIVATE');
  expect(shown.out).toContain('Line one\nline two\ufffd]0;owned\ufffd');
  expect(await world.json('ticket show 1')).toMatchObject({
    reference: 'INC-000001',
    messages: [{ author: 'jane' }],
  });
  expect(await world.json('ticket show req/7')).toMatchObject({ id: 2, messages: [] });
  const [second] = await world.desk.select().from(tables.tickets).where(eq(tables.tickets.id, 2));
  expect(second!.originalMessageId).toBe('<a@b.example>');
});

test('help tells every command and option, without a database', async () => {
  const help = (...argv: string[]) => typeCommand(argv);
  const overview = await help('--help');
  expect(await help('help', 'user', 'add')).toEqual(await help('user', 'add', '--help'));
  expect(await help('help', 'user')).toEqual(await help('user', '--help'));
  expect(await help('help')).toEqual(overview);
  expect(overview.code).toBe(0);
  for (const name of [
    'user add',
    'token revoke',
    'mailbox grant',
    'ticket show',
    'import FILE',
    'legacy replay',
  ]) {
    expect(overview.out).toContain(name);
  }
  expect(await help()).toEqual(overview);
  expect((await help('mailbox', '--help')).out).not.toContain('user add');
  expect((await help('user', 'add', '--help')).out).toContain('--no-password');
});

test('a command says on stderr which database it is, without what is secret in its URL', async () => {
  const said: string[] = [];
  const config = readConfig({ DATABASE_URL: 'postgres://olga:canary@127.0.0.1:1/desk?options=canary' });
  await expect(openDesk(config, { onOpen: (text) => said.push(text) })).rejects.toThrow();
  expect(said).toEqual(['the database postgres://127.0.0.1:1/desk']);
  await expect(openDesk(config, { makeEmbedded: true })).rejects.toThrow('--embedded and DATABASE_URL');
});

test.runIf(soaking)('a command that migrates says what it waits for', async () => {
  await using older = await createOlderDatabase('0025');
  await using door = await openTcpDoor(older.connection);
  const holder = await older.sql.reserve();
  await holder`begin`;
  await holder`select from events`;
  const said = Promise.withResolvers<string>();
  const config = readConfig({ DATABASE_URL: door.urlOf(older.connection) });
  const opening = openDesk(config, { onWait: said.resolve });
  expect(await said.promise).toMatch(/^tables that are in use/);
  await holder`rollback`;
  holder.release();
  await using _desk = await opening;
});
