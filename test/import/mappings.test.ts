import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { importDesk } from '../../src/import/import-desk.ts';
import { createTestDatabase } from '../support/database.ts';

/* examples/import, from a made-up export of another desk to the rows of an import. */

const example = (name: string) => fileURLToPath(new URL(`../../examples/import/${name}`, import.meta.url));
const map = async (script: string, ...words: string[]) =>
  (await promisify(execFile)(process.execPath, [example(script), ...words])).stdout;

/** What is in the desk after the import of these lines, each user by their name. */
async function imported(lines: string) {
  await using world = await createTestDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-mapped-'));
  try {
    const file = join(directory, 'desk.jsonl');
    await writeFile(file, lines);
    const told: string[] = [];
    await importDesk(world.database.desk, file, ({ line, message }) => told.push(`${line}: ${message}`));
    expect(told).toEqual([]);
    const { raw: sql } = world.database;
    const rows = async (query: Promise<readonly object[]>) => (await query).map((row) => Object.values(row));
    return {
      users: await rows(sql`select login, name, email, role, disabled_at is not null as disabled
        from users order by id`),
      mailboxes: await rows(sql`select m.address, array_agg(u.login) as operators from mailboxes m
        join mailbox_grants g on g.mailbox_id = m.id join users u on u.id = g.user_id group by m.address`),
      tickets: await rows(sql`select t.id, t.reference, t.subject, t.status, u.name as requester
        from tickets t join users u on u.id = t.requester_id order by t.id`),
      messages: await rows(sql`select m.ticket_id as ticket, u.name as author, m.visibility, m.format, m.body
        from messages m join users u on u.id = m.author_id order by m.id`),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('an export of Zendesk becomes users, tickets and messages', async () => {
  const exported = [example('zendesk-users.jsonl'), example('zendesk-tickets.jsonl')];
  expect(await imported(await map('zendesk.js', ...exported, 'support@example.com'))).toEqual({
    users: [
      ['nora@example.com', 'Nora Field', 'nora@example.com', 'OPERATOR', false],
      ['tom@example.com', 'Tom Reed', 'tom@example.com', 'REQUESTER', false],
      ['zendesk-360001234503', 'Sam Gone', null, 'REQUESTER', true],
      ['former-360009999999', 'Former user', null, 'REQUESTER', true],
      ['former-zendesk', 'Zendesk', null, 'OPERATOR', true],
      ['import', 'Import', null, 'OPERATOR', true],
    ],
    mailboxes: [['support@example.com', ['nora@example.com']]],
    tickets: [
      [9147, 'ZD-009147', 'Printer', 'CLOSED', 'Tom Reed'],
      [9148, 'ZD-009148', 'No subject here', 'OPEN', 'Former user'],
    ],
    messages: [
      [
        ...[9147, 'Tom Reed', 'PUBLIC', 'HTML'],
        '<p>It prints <b>blank</b> pages.</p><p>[Attachments: page.pdf]</p>',
      ],
      [9148, 'Former user', 'PUBLIC', 'TEXT', 'No subject here'],
      [9147, 'Nora Field', 'PRIVATE', 'TEXT', 'Toner again?'],
      [9148, 'Zendesk', 'PRIVATE', 'HTML', '(no text)'],
      // A customer's private comment must not become public.
      [9147, 'Import', 'PRIVATE', 'TEXT', 'Sam Gone:\n\nI am a colleague of Tom.'],
    ],
  });
});

test('answers of Requestor become users, tickets and messages with their ids', async () => {
  const lines = await map('requestor.js', example('requestor.jsonl'), 'support@example.org');
  const ids = lines.split('\n').flatMap((line) => /"message","id":(\d+)/.exec(line)?.[1] ?? []);
  expect(ids).toEqual(['92201', '92202', '92210']);
  expect(await imported(lines)).toEqual({
    users: [
      ['nora.field', 'Nora Field', 'nora@example.org', 'OPERATOR', false],
      ['tom.reed', 'Tom Reed', 'tom@example.org', 'REQUESTER', false],
      ['former-6d672593-bc3e-4317-99b2-546819f19230', 'Sam Gone', null, 'REQUESTER', true],
    ],
    mailboxes: [['support@example.org', ['nora.field']]],
    tickets: [
      [9247, 'INC-009247', 'Printer', 'OPEN', 'Tom Reed'],
      [9251, 'REQ-009251', 'New badge', 'CLOSED', 'Sam Gone'],
    ],
    messages: [
      [9247, 'Tom Reed', 'PUBLIC', 'TEXT', 'It prints blank pages.\n\n[Attachments: page.pdf]'],
      [9247, 'Nora Field', 'PRIVATE', 'HTML', '<p>Toner again?</p>'],
      [9251, 'Sam Gone', 'PUBLIC', 'TEXT', 'I lost mine.'],
    ],
  });
});

test.each([
  ['zendesk.js', [example('zendesk-tickets.jsonl'), example('zendesk-users.jsonl')], 'no user'],
  ['requestor.js', [example('zendesk-users.jsonl')], 'neither a user nor a ticket'],
  ['zendesk.js', [], 'users.jsonl tickets.jsonl'],
])('%s says what is wrong with %s', async (script, words, why) => {
  const failed = await map(script, ...words).catch((error: Error & { stderr: string }) => error.stderr);
  expect(failed).toContain(why);
});
