import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { describe, expect, test } from 'vitest';
import { createAuthenticator } from '../../src/auth/authenticate.ts';
import * as tables from '../../src/db/tables.ts';
import { ImportInterrupted, importDesk } from '../../src/import/import-desk.ts';
import { createLog } from '../../src/platform/log.ts';
import { createTestDatabase, shareDatabase, type TestDatabase } from '../support/database.ts';
import { lowCost } from '../support/low-cost.ts';
import { soaking } from '../support/soak.ts';
import { ledgerFaults } from './ledger.ts';

const { users, mailboxes, mailboxGrants, tickets, messages, events } = tables;
const all = [users, mailboxes, mailboxGrants, tickets, messages, events] as const;
type Line = Record<string, unknown> | string;

const shared = shareDatabase();

/** @param world a database of the test's own, if it changes more than rows */
async function createWorld(world: TestDatabase = shared()) {
  const { desk } = world.database;
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-import-'));
  const file = join(directory, 'desk.jsonl');
  return {
    ...world,
    desk,
    file,
    everything: () => Promise.all(all.map((table) => desk.select().from(table))),
    async run(lines: readonly Line[] | Buffer) {
      const text = (line: Line) => (typeof line === 'string' ? line : JSON.stringify(line));
      await writeFile(file, Buffer.isBuffer(lines) ? lines : lines.map(text).join('\n'));
      const problems: string[] = [];
      const batches: number[] = [];
      const result = await importDesk(
        desk,
        file,
        ({ line, message }) => problems.push(`${line}: ${message}`),
        {
          onProgress: (step, count) => step === 'written' && batches.push(count),
        },
      );
      expect(result.problems).toBe(problems.length);
      return { ...result, told: problems, batches };
    },
    async [Symbol.asyncDispose]() {
      if (world !== shared()) await world[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const olga = { type: 'user', id: 30, login: 'olga', name: 'Olga', role: 'OPERATOR' };
const jane = {
  type: 'user',
  id: 90,
  login: 'jane',
  name: 'Jane',
  role: 'REQUESTER',
  email: 'jane@domain.com',
};
const mailbox = {
  type: 'mailbox',
  id: 5,
  address: 'help@domain.com',
  displayName: 'Help',
  operators: [30, 30],
};
const ticket = { type: 'ticket', id: 47, reference: 'INC-000047', subject: 'Printer', requesterId: 90 };
const message = (id: number, more: object = {}) => ({
  type: 'message',
  id,
  ticketId: 47,
  authorId: 90,
  body: `message ${id}`,
  visibility: 'PUBLIC',
  ...more,
});
const desk = [
  olga,
  jane,
  mailbox,
  ticket,
  message(1201),
  message(1202, { visibility: 'PRIVATE', authorId: 30 }),
];

test('an import keeps ids, times, private notes and the thread that a mail answers', async () => {
  await using world = await createWorld();
  const createdAt = '2019-02-03T04:05:06.789+01:00';
  const result = await world.run([
    '\ufeff',
    ...desk.slice(0, 3),
    { ...ticket, status: 'CLOSED', originalMessageId: '<1@a.example>', createdAt },
    '',
    message(1201, { format: 'HTML', isMobileDevice: true, createdAt, body: '<p>ž \\u0000 \u2028 😀</p>' }),
    message(1202, { visibility: 'PRIVATE', authorId: 30 }),
  ]);
  expect(result).toMatchObject({
    problems: 0,
    written: { user: 2, mailbox: 1, ticket: 1, message: 2 },
    unchanged: { user: 0, mailbox: 0, ticket: 0, message: 0 },
  });
  expect(await world.desk.select().from(tickets)).toMatchObject([
    {
      id: 47,
      reference: 'INC-000047',
      status: 'CLOSED',
      requesterId: 90,
      originalMessageId: '<1@a.example>',
      lastMessageId: 1202,
      lastPublicMessageId: 1201,
      messageCount: 2,
      publicMessageCount: 1,
      lastEventNumber: 2,
      lastPublicEventNumber: 1,
      createdAt: new Date(createdAt),
    },
  ]);
  const [html] = await world.desk.select().from(messages).where(eq(messages.id, 1201));
  expect(html).toMatchObject({
    body: '<p>ž \\u0000 \u2028 😀</p>',
    format: 'HTML',
    isMobileDevice: true,
    createdAt: new Date(createdAt),
  });
  expect(await world.desk.select().from(mailboxGrants)).toEqual([{ mailboxId: 5, userId: 30 }]);
  expect(await ledgerFaults(world.desk)).toEqual([]);
});

test('an instant is read to the millisecond, by its offset, in the years 1 to 9999', async () => {
  await using world = await createWorld();
  const at = (id: number, createdAt: string) => ({ ...ticket, id, reference: `INC-${id}`, createdAt });
  const good = [
    ['2026-11-29T12:00:00.1239Z', '2026-11-29T12:00:00.123Z'],
    ['2024-01-01T00:00:00+16:00', '2023-12-31T08:00:00.000Z'],
    ['2024-01-01T00:00:00-23:59', '2024-01-01T23:59:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.9999Z', '9999-12-31T23:59:59.999Z'],
  ] as const;
  await world.run([jane, ...good.map(([written], n) => at(n + 1, written))]);
  const stored = await world.desk.select().from(tickets).orderBy(tickets.id);
  expect(stored.map(({ createdAt }) => createdAt.toISOString())).toEqual(good.map(([, read]) => read));
  const impossible = [
    ...['2026-02-30T00:00:00Z', '1900-02-29T00:00:00Z', '2016-12-31T23:59:60Z', '2024-01-01T24:00:00Z'],
    ...[
      '0000-12-31T00:00:00Z',
      '0001-01-01T00:00:00+10:00',
      '9999-12-31T23:59:59-10:00',
      '2024-01-01T00:00Z',
    ],
  ];
  const { told } = await world.run(impossible.map((written, n) => at(n + 11, written)));
  expect(told).toEqual(
    impossible.map((_, n) => `${n + 1}: createdAt: must be an instant like 2024-05-31T08:30:00Z`),
  );
  expect(await world.desk.$count(tickets)).toBe(good.length);
});

test('new rows get ids above the imported ones', async () => {
  await using world = await createWorld();
  await world.run(desk);
  const next =
    await world.desk.execute(sql`select nextval('users_id_seq')::int as u, nextval('mailboxes_id_seq')::int
      as b,
    nextval('tickets_id_seq')::int as t, nextval('messages_id_seq')::int as m`);
  expect([...next]).toEqual([{ u: 91, b: 6, t: 48, m: 1203 }]);
  await world.run([...desk, message(1100)]);
  const [after] = await world.desk.execute(sql`select nextval('messages_id_seq')::int as m`);
  expect(after).toEqual({ m: 1204 });
});

test('an imported password hash of each format works at the first sign-in', async () => {
  await using world = await createWorld();
  const hashes = {
    v2: 'ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A==',
    v3: 'AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw==',
    bcrypt: '$2y$06$abcdefghijklmnopqrstuuohzgS3J55ZZYkCOdaqqbha3fft8rqSu',
  };
  const people = Object.entries(hashes);
  await world.run(people.map(([login, passwordHash], i) => ({ ...olga, id: i + 1, login, passwordHash })));
  await using authenticator = createAuthenticator({
    db: world.desk,
    log: createLog('silent'),
    passwordCost: lowCost,
  });
  for (const [login] of people) {
    const header = `Basic ${Buffer.from(`${login}:my password`).toString('base64')}`;
    expect(await authenticator.authenticate(header, '::1')).toMatchObject({ login });
  }
});

test('a second run changes nothing, even if the desk was used in between', async () => {
  await using world = await createWorld();
  await world.run(desk);
  await world.desk.update(tickets).set({ status: 'CLOSED', subject: 'Changed' });
  await world.desk.update(users).set({ passwordHash: 'x', email: null, disabledAt: new Date() });
  await world.desk.update(messages).set({ body: '', redactedAt: new Date() });
  await world.desk.delete(mailboxGrants);
  const before = await world.everything();
  expect(await world.run(desk)).toMatchObject({
    problems: 0,
    written: { user: 0, mailbox: 0, ticket: 0, message: 0 },
    unchanged: { user: 2, mailbox: 1, ticket: 1, message: 2 },
  });
  expect(await world.everything()).toEqual(before);
});

test('a later file goes on where the first one ended, between messages that were written here', async () => {
  await using world = await createWorld();
  await world.run(desk);
  await world.run([message(1205), message(1203, { visibility: 'PRIVATE', authorId: 30 }), message(1204)]);
  await world.run([{ ...ticket, id: 48, reference: 'INC-48' }, message(1001, { ticketId: 48 })]);
  const rows = await world.desk.select().from(tickets).orderBy(tickets.id);
  expect(rows.map((row) => [row.id, row.lastMessageId, row.lastPublicMessageId, row.messageCount])).toEqual([
    [47, 1205, 1205, 5],
    [48, 1001, 1001, 1],
  ]);
  expect(await ledgerFaults(world.desk)).toEqual([]);
});

describe('bad lines', () => {
  test('are all reported with their line numbers, and nothing is written', async () => {
    await using world = await createWorld();
    const result = await world.run([
      olga,
      '{"type":"user"',
      '',
      { ...jane, role: 'BOSS' },
      { ...ticket, requestorId: 90 },
      { ...olga, id: 31 },
      { ...olga, login: 'oleg' },
      { ...mailbox, operators: [30, 77] },
      message(1, { ticketId: 99 }),
      message(2, { authorId: 98 }),
      message(2),
      message(3, { visibility: undefined }),
      message(4, { body: '\u0000' }),
      '{"type":"message","id":5,"ticketId":47,"authorId":90,"visibility":"PUBLIC","body":"\\ud800"}',
      { ...jane, id: 91, login: 'x', passwordHash: 'secret' },
      { ...ticket, id: 48, reference: 'A\nB', originalMessageId: '<a@b>\r\nBcc: x@y.z' },
      { type: 'label', id: 1 },
      '[]',
      'null',
    ]);
    expect(result.told).toEqual([
      expect.stringMatching(/^2: is not JSON/),
      expect.stringMatching(/^4: role: /),
      expect.stringMatching(/^5: .*requestorId/),
      '6: the login olga is in line 1 already',
      '7: the user 30 is in an earlier line already',
      '8: there is no user 77 in the desk or in an earlier line',
      '9: there is no ticket 99 in the desk or in an earlier line',
      '10: there is no user 98 in the desk or in an earlier line',
      '11: the message 2 is in an earlier line already',
      expect.stringMatching(/^12: visibility: /),
      '13: body: has U+0000 or a lone surrogate',
      '14: body: has U+0000 or a lone surrogate',
      expect.stringMatching(/^15: passwordHash: is not a supported hash/),
      '16: reference: has a control character',
      '16: originalMessageId: must be a Message-ID in angle brackets',
      '17: type: must be user, mailbox, ticket or message',
      expect.stringMatching(/^18: /),
      expect.stringMatching(/^19: /),
    ]);
    expect((await world.everything()).flat()).toEqual([]);
    expect(JSON.stringify(result.told)).not.toContain('secret');
  });

  test('include records whose id or name belongs to another row of the desk', async () => {
    await using world = await createWorld();
    await world.run(desk);
    const before = await world.everything();
    const result = await world.run([
      { ...olga, login: 'oleg' },
      { ...jane, id: 91, login: 'JANE' },
      { ...mailbox, address: 'other@domain.com' },
      { ...ticket, id: 48, reference: 'inc-000047' },
      message(1201, { authorId: 30 }),
    ]);
    expect(result.told).toEqual([
      '1: the desk has another user 30, with the login olga',
      '2: the login JANE belongs to the user 90 of the desk',
      '3: the desk has another mailbox 5, with the address help@domain.com',
      '4: the reference inc-000047 belongs to the ticket 47 of the desk',
      '5: the desk has another message 1201, in ticket 47 by user 90',
    ]);
    expect(await world.everything()).toEqual(before);
  });

  test('include names that are the same to the database, and to it alone', async () => {
    await using world = await createWorld();
    const named = (id: number, login: string) => ({ ...jane, id, login });
    const result = await world.run([named(90, 'İlker'), named(91, 'ilker')]);
    expect(result.told).toEqual(['2: the login ilker is in line 1 already']);
    // In JavaScript, both are νικος in lower case.
    expect((await world.run([named(92, 'ΝΙΚΟΣ'), named(93, 'Νικος'), named(94, 'ilker')])).told).toEqual([]);
    expect((await world.run([named(95, 'İlker')])).told).toEqual([
      '1: the login İlker belongs to the user 94 of the desk',
    ]);
  });

  test('include lines that are not UTF-8, or that refer to a later line', async () => {
    await using world = await createWorld();
    const latin1 = Buffer.from(`${JSON.stringify({ ...olga, name: 'José' })}\n`, 'latin1');
    expect((await world.run(latin1)).told).toEqual(['1: is not UTF-8, or longer than 128 MiB']);
    expect((await world.run([ticket, jane])).told).toEqual([
      '1: there is no user 90 in the desk or in an earlier line',
    ]);
  });
});

test('a failed batch is rolled back whole; earlier ones stay, and the next run completes it', async () => {
  await using world = await createWorld(await createTestDatabase());
  const people = Array.from({ length: 2500 }, (_, i) => ({ ...olga, id: i + 1, login: `u${i + 1}` }));
  // Somebody adds a login of the second batch between the check and the writing.
  await world.desk.execute(
    sql`insert into users (id, login, name, role) values (3000, 'rival', 'R', 'OPERATOR')`,
  );
  const owner = world.asOwner();
  await owner.unsafe(`create function rival() returns trigger language plpgsql as $$ begin
    if new.id = 1 then update users set login = 'u1700' where id = 3000; end if; return new; end $$;
    create trigger rival before insert on users for each row execute function rival()`);
  const error = await world.run(people).catch((e) => e);
  expect(error).toBeInstanceOf(ImportInterrupted);
  expect(error.message).toContain('lines 1001 to 2000');
  expect(await world.desk.$count(users)).toBe(1001);
  await owner`drop trigger rival on users`;
  await owner`update users set login = 'rival' where id = 3000`;
  await owner.end();
  expect((await world.run(people)).written.user).toBe(1500);
  expect(await world.desk.$count(users)).toBe(2501);
});

test('a batch ends with the line that brings it to 4 MiB, as the file has them', async () => {
  await using world = await createWorld();
  const body = '\u7968'.repeat(349_000);
  const { batches } = await world.run([
    ...[jane, ticket],
    ...Array.from({ length: 6 }, (_, i) => message(10 + i, { body })),
  ]);
  // Each has about a third of a million characters, and a MiB.
  expect(batches).toEqual([7, 8]);
});

test('two imports of one file at once write it once', async () => {
  await using world = await createWorld();
  await world.run([]);
  await writeFile(world.file, desk.map((line) => JSON.stringify(line)).join('\n'));
  const results = await Promise.all([1, 2, 3].map(() => importDesk(world.desk, world.file, () => {})));
  expect(results.reduce((sum, { written }) => sum + written.message, 0)).toBe(2);
  expect(await ledgerFaults(world.desk)).toEqual([]);
});

test('a message older than a ticket’s last is rejected, as readers with a cursor would miss it', async () => {
  await using world = await createWorld();
  await world.run(desk);
  const before = await world.everything();
  const late = await world.run([
    message(1206),
    message(1000),
    message(1202, { visibility: 'PRIVATE', authorId: 30 }),
  ]);
  expect(late.told).toEqual([
    '2: the ticket 47 has the later message 1202 already: a client that has read it would miss this one',
  ]);
  expect(await world.everything()).toEqual(before);
});

test('the messages of a ticket keep their order across batches', async () => {
  await using world = await createWorld();
  const other = { ...ticket, id: 48, reference: 'INC-48' };
  const filler = Array.from({ length: 1000 }, (_, i) => message(5000 + i, { ticketId: 48 }));
  const { told } = await world.run([
    jane,
    ticket,
    other,
    message(20),
    message(10),
    ...filler,
    message(15),
    message(30),
  ]);
  expect(told).toEqual([
    '1006: the ticket 47 has the later message 20 already: a client that has read it would miss this one',
  ]);
});

test('a message written during an import aborts it with a reason, and no id is below it', async () => {
  await using world = await createWorld(await createTestDatabase());
  await world.run([jane, ticket]);
  const owner = world.asOwner();
  // The gateway writes into the ticket between the check and the second batch.
  await owner.unsafe(`create function answered() returns trigger language plpgsql as $$ begin
    if new.id = 1000 then update tickets set last_message_id = 9000 where id = 47; end if; return new; end $$;
    create trigger answered before insert on messages for each row execute function answered()`);
  const other = { ...ticket, id: 48, reference: 'INC-48' };
  const filler = Array.from({ length: 1000 }, (_, i) => message(1000 + i, { ticketId: 48 }));
  const error = await world.run([other, ...filler, message(3000)]).catch((e) => e);
  await owner.end();
  expect(error).toBeInstanceOf(ImportInterrupted);
  expect(error.message).toContain(
    'message 3000 would precede message 9000, which was written to ticket 47 meanwhile',
  );
  expect(await world.desk.$count(messages, eq(messages.ticketId, 47))).toBe(0);
});

test('counts and event numbers continue from batch to batch', async () => {
  await using world = await createWorld();
  const opened = Array.from({ length: 100 }, (_, i) => ({ ...ticket, id: i + 1, reference: `R-${i + 1}` }));
  const count = soaking ? 20_000 : 2000;
  const said = Array.from({ length: count }, (_, i) =>
    message(i + 1, {
      ticketId: (i % 100) + 1,
      ...(i % 3 === 0 ? { visibility: 'PRIVATE', authorId: 30 } : {}),
    }),
  );
  expect((await world.run([olga, jane, ...opened, ...said])).written).toMatchObject({
    ticket: 100,
    message: count,
  });
  expect(await ledgerFaults(world.desk)).toEqual([]);
});

test('an import obeys the API’s rules: private by a requester, blank, mail by a requester', async () => {
  await using world = await createWorld();
  const ticket = { type: 'ticket', id: 47, reference: 'INC-000047', subject: 'Printer', requesterId: 90 };
  const message = (id: number, more: object) => ({
    ...{ type: 'message', id, ticketId: 47, authorId: 90, body: 'x', visibility: 'PUBLIC' },
    ...more,
  });
  const first = await world.run([olga, jane, mailbox, ticket, message(1, {})]);
  expect(first.problems).toBe(0);
  const before = await world.everything();
  const later = { ...jane, id: 91, login: 'joe' };
  const bad = await world.run([
    later,
    message(2, { visibility: 'PRIVATE' }),
    message(3, { visibility: 'PRIVATE', authorId: 91 }),
    message(4, { visibility: 'PRIVATE', authorId: 30 }),
    message(5, { body: ' \u200b\n' }),
    message(6, { body: '<p>&nbsp;</p><script>x</script>', format: 'HTML' }),
    { ...mailbox, id: 6, address: 'other@domain.com', operators: [30, 90, 91] },
  ]);
  expect(bad.told).toEqual([
    '2: the user 90 is a requester, and only operators write private messages',
    '3: the user 91 is a requester, and only operators write private messages',
    '5: body: the message has no text',
    '6: body: the message has no text',
    '7: the user 90 is a requester, and only operators send mail',
    '7: the user 91 is a requester, and only operators send mail',
  ]);
  expect(await world.everything()).toEqual(before);
});
