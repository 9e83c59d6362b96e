import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import type { Scope } from '../../src/platform/request-context.ts';
import { placeOf } from '../support/cursor.ts';
import { countWaiting } from '../support/database.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { soaking } from '../support/soak.ts';
import { add, ask, ticketId } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const mutation = /* GraphQL */ `mutation ($input: SetTicketStatusInput!) {
  setTicketStatus(input: $input) {
    __typename
    ... on SetTicketStatusPayload { changed ticket { reference status cursor } }
    ... on UserError { code path retryable }
  }
}`;
interface Answer {
  __typename: string;
  code?: string;
  path?: string[];
  changed?: boolean;
  ticket?: { reference: string; status: string; cursor: string };
}
const set = (status: string, ticket: object = { ticketId: 47 }, authorization: string | null = asOperator) =>
  ask<Answer>(gateway, mutation, { input: { ticket, status } }, { authorization });

/** What is stored of a ticket's status and its changes, numbers as its events have them. */
async function stored(id = 47) {
  const [ticket] = await gateway.sql`
    select status, last_event_number as last, last_public_event_number as public from tickets
    where id = ${id}`;
  const events = await gateway.sql`
    select e.number, e.public_number, e.type, e.visibility, u.login as actor, e.message_id from events e
    left join users u on u.id = e.actor_id where ticket_id = ${id} and type like 'TICKET%' order by number`;
  const audited = await gateway.sql`
    select a.action, u.login as actor from audit_entries a left join users u on u.id = a.actor_id
    where ticket_id = ${id} and action like 'TICKET%' order by a.id`;
  return { ...ticket, events: [...events], audited: [...audited] } as unknown as {
    status: string;
    last: number;
    public: number;
    events: object[];
    audited: object[];
  };
}

test('an operator closes and reopens a ticket: a status, an event and an audit entry each', async () => {
  const before = await stored(45);
  const closed = await set('CLOSED', { ticketId: 45 });
  expect(closed).toMatchObject({ changed: true, ticket: { reference: 'INC-000045', status: 'CLOSED' } });
  expect(placeOf(closed.ticket!.cursor)).toBe(before.last + 1);
  expect(await set('OPEN', { reference: 'inc-000045' })).toMatchObject({
    changed: true,
    ticket: { status: 'OPEN' },
  });
  const common = { visibility: 'PUBLIC', actor: 'operator', message_id: null };
  expect(await stored(45)).toEqual({
    status: 'OPEN',
    last: before.last + 2,
    public: before.public + 2,
    events: [
      { ...common, number: before.last + 1, public_number: before.public + 1, type: 'TICKET_CLOSED' },
      { ...common, number: before.last + 2, public_number: before.public + 2, type: 'TICKET_REOPENED' },
    ],
    audited: [
      { action: 'TICKET_CLOSED', actor: 'operator' },
      { action: 'TICKET_REOPENED', actor: 'operator' },
    ],
  });
});

test('done twice, or by ten at once, it is done once', async () => {
  const ticket = { id: ticketId(12) };
  const before = await stored(12);
  expect(before.status).toBe('CLOSED');
  const answers = await Promise.all(Array.from({ length: 10 }, () => set('OPEN', ticket)));
  expect(answers.filter(({ changed }) => changed)).toHaveLength(1);
  expect(answers.map((answer) => answer.ticket?.status)).toEqual(Array(10).fill('OPEN'));
  const after = await stored(12);
  expect({ last: after.last, events: after.events.length }).toEqual({ last: before.last + 1, events: 1 });
});

test('a closed ticket takes messages, and stays closed', async () => {
  await set('CLOSED', { ticketId: 11 });
  await add(gateway, { ticket: { ticketId: 11 } });
  expect((await stored(11)).status).toBe('CLOSED');
  const list = '{ tickets(filter: { status: CLOSED }, first: 100) { nodes { ticketId } } }';
  const { nodes } = await ask<{ nodes: { ticketId: number }[] }>(gateway, list);
  expect(nodes.map((ticket) => ticket.ticketId)).toContain(11);
});

test('a requester who watches is told of it, and by whom', async () => {
  const [{ number }] = (await gateway.sql`
    select last_public_event_number as number from tickets where id = 47`) as unknown as [{ number: number }];
  const query = `subscription ($after: String) { ticketEvents(ticket: { ticketId: 47 }, after: $after) {
    cursor type visibility actor { name } ticketMessage { id } delivery { id } } }`;
  const { cursor } = await ask<{ cursor: string }>(
    gateway,
    '{ ticket(by: { ticketId: 47 }) { cursor } }',
    {},
    { authorization: asRequester },
  );
  const body = { query, variables: { after: cursor } };
  const stream = await openStream(gateway.url, body, { authorization: asRequester });
  await set('CLOSED');
  const told = (await stream.next())!.data!.data!.ticketEvents as Record<string, unknown>;
  stream.leave();
  expect(told).toMatchObject({
    type: 'TICKET_CLOSED',
    visibility: 'PUBLIC',
    actor: { name: expect.any(String) },
    ticketMessage: null,
    delivery: null,
  });
  expect(placeOf(told.cursor as string)).toBe(number + 1);
});

async function bearer(...scopes: Scope[]): Promise<string> {
  const [user] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
  const { desk } = gateway.database.database;
  return `Bearer ${(await createToken(desk, { userId: user!.id, name: 't', scopes })).token}`;
}

test('who may not: refused in the order of refusals, and nothing is written', async () => {
  const counts = async () => JSON.stringify([await stored(47), await stored(1), await gateway.counts()]);
  const before = await counts();
  const codeOf = async (ticket: object, authorization: string | null) => {
    const { code, path } = await set('CLOSED', ticket, authorization);
    return [code, path];
  };
  expect(await codeOf({ ticketId: 47 }, null)).toEqual(['UNAUTHENTICATED', []]);
  const missing = [{ ticketId: 4700 }, { reference: 'INC-9' }, { reference: '' }, { id: 'x' }];
  for (const ticket of [...missing, { ticketId: -1 }, { ticketId: 2_147_483_647 }])
    expect(await codeOf(ticket, asOperator)).toEqual(['TICKET_NOT_FOUND', ['ticket']]);
  // Somebody else's ticket is answered as one that does not exist; one's own as what a requester may not do.
  expect(await codeOf({ ticketId: 1 }, asRequester)).toEqual(await codeOf({ ticketId: 4700 }, asRequester));
  expect(await codeOf({ ticketId: 47 }, asRequester)).toEqual(['FORBIDDEN', ['status']]);
  for (const scopes of [['read'], ['mail', 'admin', 'read']] satisfies Scope[][])
    expect(await codeOf({ ticketId: 47 }, await bearer(...scopes))).toEqual(['FORBIDDEN', []]);
  expect(await counts()).toBe(before);
});

test('without the scope read it is done, and the ticket is not shown', async () => {
  const authorization = await bearer('write');
  const input = { ticket: { ticketId: 40 }, status: 'CLOSED' };
  const { data, errors } = await gateway.graphql(mutation, { input }, { authorization });
  expect(data).toEqual({
    setTicketStatus: { __typename: 'SetTicketStatusPayload', changed: true, ticket: null },
  });
  expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' }, path: ['setTicketStatus', 'ticket'] }]);
  expect((await stored(40)).status).toBe('CLOSED');
});

test('commands that wait for locked tickets keep nobody else from theirs', async () => {
  const { ticketMessage } = await add(gateway, { ticket: { ticketId: 30 }, body: 'to be seen' });
  const markSeen = `mutation ($message: ID!) {
    markSeen(input: { ticket: { ticketId: 30 }, message: $message }) { __typename } }`;
  const waiting: Promise<unknown>[] = [];
  await gateway.sql.begin(async (tx) => {
    await tx`select from tickets where id <= 20 for update`;
    for (let n = 0; n < 60; n += 1) waiting.push(set('CLOSED', { ticketId: 1 + (n % 20) }).catch(() => {}));
    await expect.poll(() => countWaiting(gateway.sql)).toBeGreaterThan(3);
    expect(await set('CLOSED', { ticketId: 30 })).toMatchObject({ changed: true });
    expect(await ask(gateway, markSeen, { message: ticketMessage.id })).toEqual({
      __typename: 'MarkSeenPayload',
    });
  });
  await Promise.all(waiting);
});

test('a command has its turn on a ticket that others lock one behind the other', async () => {
  const write = gateway.database.asOwner(3);
  let isDone = false;
  // One of them holds the lock for longer than a first attempt waits, and another one always waits before us.
  const others = [1, 2, 3].map(async () => {
    while (!isDone)
      await write.begin(
        (sql) => sql`select pg_sleep(0.05) from (
        select from tickets where id = 9 for update) as locked`,
      );
  });
  await expect.poll(() => countWaiting(gateway.sql)).toBeGreaterThan(0);
  const command = await gateway.graphql(`mutation { setTicketStatus(input: {
    ticket: { ticketId: 9 }, status: CLOSED }) { __typename } }`);
  isDone = true;
  await Promise.all(others);
  await write.end({ timeout: 5 });
  expect([command.status, command.errors]).toEqual([200, undefined]);
});

test.runIf(soaking)('however many commands wait for one ticket, they are told in time', async () => {
  // Whoever writes a message to it waits for longer than any of them.
  const overrides = { writer: { lockPatience: 30_000 } };
  await using own = await startGateway({ env: { ROLES: 'web' }, overrides });
  const mutation = `mutation { setTicketStatus(input: { ticket: { ticketId: 8 }, status: CLOSED }) {
    __typename } }`;
  const write = own.database.asOwner();
  const { first, message } = await write.begin(async (tx) => {
    await tx`select from tickets where id = 8 for update`;
    const message = add(own, { ticket: { ticketId: 8 }, body: 'after all of them' });
    const commands = Array.from({ length: 60 }, () => own.graphql(mutation));
    const first = await Promise.race([message, Promise.all(commands)]);
    return { first, message: [message] };
  });
  expect(first).toMatchObject(Array.from({ length: 60 }, () => ({ status: 503 })));
  expect(await message[0]).toMatchObject({ __typename: 'AddTicketMessagePayload' });
  await write.end({ timeout: 5 });
});
