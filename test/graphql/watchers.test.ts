import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { placeOf } from '../support/cursor.ts';
import { openStream } from '../support/event-stream.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { add } from '../tickets/calls.ts';

/* A watcher's rights are checked again at each event, so they are not shown what they may no longer see. */

let gateway: Gateway;
let aheadMs = 0;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ROLES: 'web' },
    overrides: { now: () => new Date(Date.now() + aheadMs) },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A valid credential is cached for 20 seconds. */
const believeNoLonger = () => {
  aheadMs += 30_000;
};

let userId: number;
let token: { id: number; token: string };
beforeEach(async () => {
  const login = crypto.randomUUID();
  const [user] = await gateway.sql<{ id: number }[]>`
    insert into users (login, name, email, role)
    values (${login}, 'Watcher', ${`${login}@domain.com`}, 'OPERATOR') returning id`;
  userId = user!.id;
  token = await createToken(gateway.database.database.desk, {
    userId,
    name: 'watcher',
    scopes: ['read', 'write', 'mail'],
  });
});

interface Told {
  data?: {
    ticketEvents: {
      cursor: string;
      ticketMessage: { bodyText: string };
      delivery: { bcc: string[] } | null;
    } | null;
  } | null;
  errors?: { extensions: Record<string, unknown> }[];
}

/** The messages of a subscription, one by one. */
async function* watch(ticketId: number): AsyncGenerator<Told> {
  const query =
    `subscription { ticketEvents(ticket: { ticketId: ${ticketId} }) { cursor ticketMessage ` +
    '{ bodyText } delivery { bcc } } }';
  const stream = await openStream(gateway.url, { query }, { authorization: `Bearer ${token.token}` });
  try {
    for (let event = await stream.next(); event !== undefined; event = await stream.next())
      if (event.data !== undefined) yield event.data as Told;
  } finally {
    stream.leave();
  }
}

/** Watches a new ticket, after the event of its first message was received. */
async function watching(requesterId: number) {
  const [ticket] = await gateway.sql<{ id: number }[]>`
    insert into tickets (reference, subject, status, requester_id)
    values (${crypto.randomUUID()}, 'Watched', 'OPEN', ${requesterId}) returning id`;
  const say = (body: string, input: object = {}) =>
    add(gateway, { ticket: { ticketId: ticket!.id }, body, ...input });
  await say('before');
  const told = watch(ticket!.id);
  const next = async () => (await told.next()).value as Told | undefined;
  expect((await next())?.data?.ticketEvents?.ticketMessage.bodyText).toBe('before');
  return { say, next };
}

const losses: [string, string, () => Promise<unknown>][] = [
  [
    'the scope read',
    'FORBIDDEN',
    () => gateway.sql`update api_tokens set scopes = '{write,mail}' where id = ${token.id}`,
  ],
  [
    'the role of an operator',
    'FORBIDDEN',
    () => gateway.sql`update users set role = 'REQUESTER' where id = ${userId}`,
  ],
  [
    'the credential',
    'UNAUTHENTICATED',
    () => gateway.sql`update api_tokens set revoked_at = now() where id = ${token.id}`,
  ],
];
test.each(losses)('whoever has lost %s is told so, and nothing that happens after', async (_, code, lose) => {
  const { say, next } = await watching(2);
  await lose();
  believeNoLonger();
  await say('for others');
  const last = await next();
  expect(JSON.stringify(last)).not.toContain('for others');
  expect(last?.errors?.map(({ extensions }) => extensions.code)).toEqual([code]);
  expect(await next()).toBeUndefined();
});

test('an event shows what its watcher may see now, and cursors have no gap', async () => {
  await gateway.sql`update users set role = 'REQUESTER' where id = ${userId}`;
  const { say, next } = await watching(userId);
  const email = { from: 'company@domain.com', bcc: ['boss@domain.com'], holdSeconds: 3600 };
  await say('a mail to a requester', { email });
  const before = (await next())?.data?.ticketEvents;
  expect(before).toMatchObject({ ticketMessage: { bodyText: 'a mail to a requester' }, delivery: null });
  await gateway.sql`update users set role = 'OPERATOR' where id = ${userId}`;
  believeNoLonger();
  await say('a note', { visibility: 'PRIVATE' });
  await say('a mail to an operator', { email });
  const after = (await next())?.data?.ticketEvents;
  expect(after).toMatchObject({
    ticketMessage: { bodyText: 'a mail to an operator' },
    delivery: { bcc: ['boss@domain.com'] },
  });
  expect(placeOf(after!.cursor)).toBe(placeOf(before!.cursor) + 1);
});
