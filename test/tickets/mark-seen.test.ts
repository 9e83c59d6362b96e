import { afterAll, beforeAll, expect, test } from 'vitest';
import { countWaiting } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask, messageId } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Marked {
  ticket?: { ticketId: number; unseenCount: number };
  code?: string;
}
const mark = (ticket: number, message: number, authorization: string) =>
  ask<Marked>(
    gateway,
    `mutation ($input: MarkSeenInput!) { markSeen(input: $input) {
      ... on MarkSeenPayload { ticket { ticketId unseenCount } } ... on UserError { code } } }`,
    { input: { ticket: { ticketId: ticket }, message: messageId(message) } },
    { authorization },
  );
const unseen = async (ticket: number, authorization: string) =>
  (
    await ask<{ unseenCount: number }>(
      gateway,
      `{ ticket(by: { ticketId: ${ticket} }) { unseenCount } }`,
      {},
      { authorization },
    )
  ).unseenCount;
const write = async (ticketId: number, authorization: string, more: object = {}) =>
  (await add(gateway, { ticket: { ticketId }, body: 'x', ...more }, { authorization })).ticketMessage
    .messageId;

test('messages by others count until they are marked, each for its viewer', async () => {
  const first = await write(12, asRequester);
  expect(await mark(12, first, asOperator)).toEqual({ ticket: { ticketId: 12, unseenCount: 0 } });
  await mark(12, first, asRequester);
  await write(12, asRequester);
  const last = await write(12, asRequester);
  await write(12, asOperator);
  expect([await unseen(12, asOperator), await unseen(12, asRequester)]).toEqual([2, 1]);
  expect(await mark(12, last, asOperator)).toEqual({ ticket: { ticketId: 12, unseenCount: 0 } });
  expect(await unseen(12, asRequester)).toBe(1);
  // A mark never goes back.
  expect(await mark(12, first, asOperator)).toEqual({ ticket: { ticketId: 12, unseenCount: 0 } });
  const marks = await gateway.sql`select * from seen_marks where ticket_id = 12`;
  expect(marks).toHaveLength(2);
});

test('a private note neither counts for a requester nor can be marked by them', async () => {
  const shown = await write(42, asOperator);
  await mark(42, shown, asRequester);
  const note = await write(42, asOperator, { visibility: 'PRIVATE' });
  expect(await unseen(42, asRequester)).toBe(0);
  expect(await mark(42, note, asRequester)).toEqual({ code: 'MESSAGE_NOT_FOUND' });
  expect(await mark(42, 2_000_000_000, asRequester)).toEqual({ code: 'MESSAGE_NOT_FOUND' });
  expect(await mark(1, shown, asRequester)).toEqual({ code: 'TICKET_NOT_FOUND' });
  expect(await mark(1, shown, asOperator)).toEqual({ code: 'MESSAGE_NOT_FOUND' });
  expect(await unseen(42, asRequester)).toBe(0);
});

test('counting ends at a hundred', async () => {
  await gateway.sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 7, requester_id, 'x', 'TEXT', 'PUBLIC', false from tickets, generate_series(1, 150) where id = 7`;
  expect(await unseen(7, asOperator)).toBe(100);
});

type Shown = Record<string, { ticket: { messageCount: number } }> & {
  redact: { ticketMessage: { ticket: object } };
};
test('each mutation of a document shows the ticket as it is after it', async () => {
  const written: number[] = [];
  for (let n = 0; n < 3; n += 1) written.push(await write(42, asRequester));
  const shown = '{ ticket { status messageCount lastMessage { id bodyText } unseenCount } }';
  const seen = (name: string, at: number) =>
    `${name}: markSeen(input: { ticket: { ticketId: 42 }, message: "${messageId(written[at]!)}" }) {
      ... on MarkSeenPayload ${shown} }`;
  const { data } = await gateway.graphql<Shown>(`mutation {
    ${seen('one', 0)} ${seen('two', 1)}
    close: setTicketStatus(input: { ticket: { ticketId: 42 }, status: CLOSED }) {
      ... on SetTicketStatusPayload ${shown} }
    redact: redactMessage(input: { message: "${messageId(written[2]!)}" }) {
      ... on RedactMessagePayload { ticketMessage ${shown} } }
    reply: addTicketMessage(input: { ticket: { ticketId: 42 }, body: "Reply", reopen: true }) {
      ... on AddTicketMessagePayload ${shown} }
    ${seen('three', 2)}
  }`);
  const { redact, ...others } = data;
  const count = others.one!.ticket.messageCount;
  const last = { id: messageId(written[2]!), bodyText: 'x' };
  const before = { status: 'OPEN', messageCount: count, lastMessage: last, unseenCount: 2 };
  const closed = { ...before, status: 'CLOSED', unseenCount: 1 };
  const reply = { id: expect.any(String), bodyText: 'Reply' };
  const replied = { status: 'OPEN', messageCount: count + 1, lastMessage: reply, unseenCount: 1 };
  expect(others).toEqual({
    one: { ticket: before },
    two: { ticket: { ...before, unseenCount: 1 } },
    close: { ticket: closed },
    reply: { ticket: replied },
    three: { ticket: { ...replied, unseenCount: 0 } },
  });
  expect(redact.ticketMessage.ticket).toEqual({ ...closed, lastMessage: { ...last, bodyText: '' } });
});

test('a mutation that is refused shows the ticket as it is by then', async () => {
  const last = messageId(await write(43, asOperator));
  const held = Promise.withResolvers<void>();
  const isHeld = Promise.withResolvers<number>();
  // Somebody else's message, which the second mutation waits for.
  const other = gateway.sql.begin(async (tx) => {
    const [row] = await tx`select message_count as count from tickets where id = 43 for update`;
    const [added] =
      await tx`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select id, requester_id, 'meanwhile', 'TEXT', 'PUBLIC', false from tickets where id = 43 returning id`;
    await tx`update tickets set message_count = message_count + 1, last_message_id = ${added!.id},
      public_message_count = public_message_count + 1, last_public_message_id = ${added!.id} where id = 43`;
    isHeld.resolve(row!.count);
    await held.promise;
  });
  const count = await isHeld.promise;
  const asked = gateway.graphql<Record<string, object>>(
    `mutation {
      seen: markSeen(input: { ticket: { ticketId: 43 }, message: "${last}" }) {
        ... on MarkSeenPayload { ticket { messageCount } } }
      reply: addTicketMessage(input: { ticket: { ticketId: 43 }, body: "Reply", ifLastMessage: "${last}" }) {
        ... on TicketChangedError { unseenMessages { ticket { messageCount } } } } }`,
  );
  await eventually(async () => (await countWaiting(gateway.sql)) > 0);
  held.resolve();
  await other;
  expect((await asked).data).toEqual({
    seen: { ticket: { messageCount: count } },
    reply: { unseenMessages: [{ ticket: { messageCount: count + 1 } }] },
  });
});
