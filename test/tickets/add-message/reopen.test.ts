import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { placeOf } from '../../support/cursor.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { add, messageId } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => gateway.sql`update tickets set status = 'CLOSED' where id = 47`);

interface Event {
  readonly number: number;
  readonly public_number: number | null;
  readonly type: string;
  readonly visibility: string;
  readonly message_id: number | null;
}
interface Stored {
  readonly status: string;
  readonly last: number;
  readonly public: number;
}
const stored = async (): Promise<Stored> => {
  const [row] = await gateway.sql<Stored[]>`
    select status, last_event_number as last, last_public_event_number as public from tickets
    where id = 47`;
  return row!;
};
const eventsAfter = async ({ last }: Stored): Promise<Event[]> => [
  ...(await gateway.sql<Event[]>`
    select number, public_number, type, visibility, message_id from events
    where ticket_id = 47 and number > ${last} order by number`),
];
const audits = async () =>
  [...(await gateway.sql`select action from audit_entries where ticket_id = 47`)].length;

test('a reply reopens its ticket: the status, its event before the message, an audit entry', async () => {
  const [before, audited] = [await stored(), await audits()];
  const { ticketMessage, cursor } = await add(gateway, { reopen: true });
  expect(await stored()).toEqual({ status: 'OPEN', last: before.last + 2, public: before.public + 2 });
  expect(await eventsAfter(before)).toEqual([
    {
      ...{ number: before.last + 1, public_number: before.public + 1 },
      ...{ type: 'TICKET_REOPENED', visibility: 'PUBLIC', message_id: null },
    },
    {
      ...{ number: before.last + 2, public_number: before.public + 2 },
      ...{ type: 'MESSAGE_ADDED', visibility: 'PUBLIC', message_id: ticketMessage.messageId },
    },
  ]);
  expect(placeOf(cursor)).toBe(before.last + 2);
  expect(await audits()).toBe(audited + 1);
});

test('a private note reopens it for the requester as well, who does not learn of the note', async () => {
  const before = await stored();
  await add(gateway, { reopen: true, visibility: 'PRIVATE' });
  expect(await stored()).toEqual({ status: 'OPEN', last: before.last + 2, public: before.public + 1 });
  expect((await eventsAfter(before)).map((event) => [event.type, event.public_number])).toEqual([
    ['TICKET_REOPENED', before.public + 1],
    ['MESSAGE_ADDED', null],
  ]);
});

test('on an open ticket there is nothing to reopen, and without it a ticket stays closed', async () => {
  const closed = await stored();
  await add(gateway, {});
  await add(gateway, { reopen: false });
  expect(await stored()).toEqual({ status: 'CLOSED', last: closed.last + 2, public: closed.public + 2 });
  await add(gateway, { reopen: true });
  const open = await stored();
  await add(gateway, { reopen: true });
  expect((await eventsAfter(open)).map(({ type }) => type)).toEqual(['MESSAGE_ADDED']);
});

test('of replies that come together the first reopens it, and the numbers have no gap', async () => {
  const [before, audited] = [await stored(), await audits()];
  const inputs = [{}, { visibility: 'PRIVATE' }, { reopen: true }, { reopen: true }, {}];
  const added = await Promise.all(inputs.map((input) => add(gateway, input)));
  const happened = await eventsAfter(before);
  expect(happened.map(({ number }) => number - before.last)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(happened.flatMap((event) => event.public_number ?? [])).toEqual(
    [1, 2, 3, 4, 5].map((n) => before.public + n),
  );
  const reopened = happened.findIndex(({ type }) => type === 'TICKET_REOPENED');
  expect(happened.filter(({ type }) => type === 'TICKET_REOPENED')).toHaveLength(1);
  const byMessage = new Map(happened.map((event) => [event.message_id, event.number]));
  for (const { ticketMessage, cursor } of added)
    expect(placeOf(cursor)).toBe(byMessage.get(ticketMessage.messageId));
  const first = added.filter((_, n) => inputs[n]!.reopen).map((one) => one.ticketMessage.messageId);
  expect(happened[reopened + 1]!.message_id).toBe(Math.min(...first));
  expect(await stored()).toEqual({ status: 'OPEN', last: before.last + 6, public: before.public + 5 });
  expect(await audits()).toBe(audited + 1);
});

test('operators alone may', async () => {
  const before = await stored();
  const input = { reopen: true };
  expect(await add(gateway, input, { authorization: asRequester })).toMatchObject({
    ...{ code: 'FORBIDDEN', path: ['reopen'] },
  });
  expect(await stored()).toEqual(before);
});

test('a message that is refused, or repeated, reopens nothing', async () => {
  const { ticketMessage } = await add(gateway, { reopen: true, idempotencyKey: 'reopens' });
  await add(gateway, { body: 'Unseen' });
  await gateway.sql`update tickets set status = 'CLOSED' where id = 47`;
  const before = await stored();
  const again = await add(gateway, { reopen: true, idempotencyKey: 'reopens' });
  expect(again.ticketMessage.messageId).toBe(ticketMessage.messageId);
  expect(await add(gateway, { idempotencyKey: 'reopens' })).toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  });
  const unseen = { reopen: true, ifLastMessage: messageId(ticketMessage.messageId) };
  expect(await add(gateway, unseen)).toMatchObject({ code: 'TICKET_CHANGED' });
  expect(await stored()).toEqual(before);
});

test('the payload has the ticket as it is then', async () => {
  const query = /* GraphQL */ `mutation ($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) { ... on AddTicketMessagePayload { ticket { status } } }
  }`;
  const input = { ticket: { ticketId: 47 }, body: 'Again', reopen: true };
  const answer = await gateway.graphql(query, { input }, { authorization: asOperator });
  expect(answer).toMatchObject({ data: { addTicketMessage: { ticket: { status: 'OPEN' } } } });
});
