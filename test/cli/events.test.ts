import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { deskCursorOfNow } from '../support/cursor.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { sampled } from '../support/soak.ts';
import { add, ask } from '../tickets/calls.ts';
import { startCommand } from './command-line.ts';

let gateway: Gateway;
let token: string;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', RATE_LIMITS: 'off' } });
  const input = { userId: 1, name: 'cli', scopes: ['read'] as const };
  ({ token } = await createToken(gateway.database.database.desk, input));
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Line {
  cursor: string;
  type: string;
  ticket: { ticketId: number };
  ticketMessage: { messageId: number };
}

/** Runs `ticketwire events`; its lines can be read while it runs. */
function events(words: string[], { url = gateway.url, as = token } = {}) {
  const interrupting = new AbortController();
  const { signal: interrupted } = interrupting;
  const env = { TICKETWIRE_URL: url, TICKETWIRE_TOKEN: as };
  const { stdout, stderr, ended: code } = startCommand(['events', ...words], { env, interrupted });
  let text = '';
  stdout.setEncoding('utf8');
  return {
    code,
    isFull: () => stdout.writableNeedDrain,
    interrupt: () => interrupting.abort(),
    rest: () => String(stdout.read() ?? ''),
    errors: () => String(stderr.read() ?? ''),
    async next(): Promise<Line> {
      for (;;) {
        const end = text.indexOf('\n');
        if (end >= 0) {
          const line = text.slice(0, end);
          text = text.slice(end + 1);
          return JSON.parse(line) as Line;
        }
        // A stream that flows loses what it emits while nobody listens.
        text += stdout.read() ?? (await once(stdout, 'readable').then(() => ''));
      }
    },
  };
}

/** The first event of the desk. */
const first = '{ deskEvents(first: 1) { events { cursor } } }';

const say = async (ticketId: number, to = gateway) =>
  (await add(to, { ticket: { ticketId } })).ticketMessage.messageId;

test('--follow ends when it is interrupted, although nobody reads its lines', async () => {
  const stuck = events(['--follow', '--after', await deskCursorOfNow(gateway)]);
  // It follows once it has printed an event that came after the pages.
  await say(47);
  await stuck.next();
  await eventually(async () => {
    await Promise.all(Array.from({ length: 20 }, () => say(47)));
    return stuck.isFull();
  });
  stuck.interrupt();
  expect(await stuck.code).toBe(0);
});

test('--follow prints what happens as lines of JSON, resumes, and exits when interrupted', async () => {
  const first = events(['--follow', '--after', await deskCursorOfNow(gateway)]);
  const said = [await say(47), await say(3), await say(4)];
  const lines = [await first.next(), await first.next()];
  first.interrupt();
  expect(await first.code).toBe(0);
  expect(first.errors()).toBe('');
  const second = events(['--follow', '--after', lines[1]!.cursor]);
  lines.push(await second.next());
  second.interrupt();
  expect(await second.code).toBe(0);
  expect(lines.map(({ ticketMessage }) => ticketMessage.messageId)).toEqual(said);
  expect(lines.map(({ ticket }) => ticket.ticketId)).toEqual([47, 3, 4]);
});

test('--ticket prints what happens in one ticket, also for its requester', async () => {
  const input = { userId: 2, name: 'cli', scopes: ['read'] as const };
  const { token: requesters } = await createToken(gateway.database.database.desk, input);
  const following = events(['--ticket', 'inc-000047', '--follow'], { as: requesters });
  // It begins with what happens from now on: until its first line, messages are added.
  const added: number[] = [];
  let first: Line | undefined;
  void following.next().then((line) => {
    first = line;
  });
  await expect
    .poll(async () => {
      await say(3);
      added.push(await say(47));
      return first;
    })
    .toBeDefined();
  expect(first!.ticket.ticketId).toBe(47);
  expect(added).toContain(first!.ticketMessage.messageId);
  following.interrupt();
  expect(await following.code).toBe(0);
  const afterwards = ['--type', 'message_added', '--after', first!.cursor];
  const all = events(['--ticket', '47', ...afterwards], { as: requesters });
  expect(await all.code).toBe(0);
  const later = added.slice(added.indexOf(first!.ticketMessage.messageId) + 1);
  const lines = all.rest().split('\n').filter(Boolean);
  expect(lines.map((line) => (JSON.parse(line) as Line).ticketMessage.messageId)).toEqual(later);
  const none = events(['--ticket', '47', '--type', 'ticket_closed']);
  expect([await none.code, none.rest()]).toEqual([0, '']);
  const nowhere = events(['--ticket', 'INC-999999', '--follow']);
  expect([await nowhere.code, nowhere.errors()]).toEqual([1, expect.stringContaining('no such ticket')]);
});

test('a gateway that stops is asked again from the last event', async () => {
  const ending = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
  const port = new URL(ending.url).port;
  const following = events(['--follow', '--after', await deskCursorOfNow(gateway)], { url: ending.url });
  const said = [await say(47)];
  const lines = [await following.next()];
  await ending[Symbol.asyncDispose]();
  said.push(await say(4));
  await using _again = await startGateway({
    env: { ROLES: 'web', PORT: port },
    database: gateway.database,
  });
  lines.push(await following.next());
  following.interrupt();
  expect(await following.code).toBe(0);
  expect(lines.map(({ ticketMessage }) => ticketMessage.messageId)).toEqual(said);
});

test('without --follow it prints what is there, of the types that are asked for', async () => {
  const after = await deskCursorOfNow(gateway);
  await say(47);
  const answer =
    'mutation { setTicketStatus(input: { ticket: { ticketId: 6 }, status: CLOSED }) { __typename } }';
  await gateway.graphql(answer);
  // Transactions of other tests in this cluster may hold an event for a while.
  await expect
    .poll(async () => {
      const found = events(['--after', after, '--type', 'ticket_closed']);
      expect(await found.code).toBe(0);
      return found.rest();
    })
    .toMatch(/^\{"cursor":"\w+","type":"TICKET_CLOSED".*\}\n$/);
});

test.runIf(process.platform !== 'win32').each(sampled(['events', 'events --follow --after=$AFTER'], 2))(
  'a reader of `%s` who has seen enough is no failure of the database',
  async (words) => {
    const { events: page } = await ask<{ events: Line[] }>(gateway, first, {}, { authorization: asOperator });
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const of = { TICKETWIRE_URL: gateway.url, TICKETWIRE_TOKEN: token, AFTER: page[0]!.cursor };
    const env = { ...process.env, ...of };
    const script = `"$1" "$2" ${words} | true; echo "code \${PIPESTATUS[0]}"`;
    const typed = promisify(execFile)('bash', ['-c', script, 'bash', process.execPath, main], { env });
    expect(await typed).toEqual({ stdout: 'code 0\n', stderr: '' });
  },
);

test.each([
  [['--type', 'NOTHING'], 2, '--type must be one of MESSAGE_ADDED'],
  [['--status', 'half'], 2, '--status must be OPEN or CLOSED'],
  [['--after', 'junk'], 1, '"after" is not a cursor'],
])('%j is refused', async (words, code, message) => {
  const refused = events(words);
  expect(await refused.code).toBe(code);
  expect(refused.errors()).toContain(message);
});
