import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { add, messageId } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const operator = { authorization: asOperator };
const requester = { authorization: asRequester };

test('an operator who has seen the last message may write; who has not is told what is new', async () => {
  const first = await add(gateway);
  const second = await add(gateway, { ifLastMessage: first.ticketMessage.id });
  const third = await add(gateway, { ifLastMessage: second.ticketMessage.id, visibility: 'PRIVATE' });
  const before = await gateway.counts();
  expect(await add(gateway, { ifLastMessage: first.ticketMessage.id })).toMatchObject({
    code: 'TICKET_CHANGED',
    path: ['ifLastMessage'],
    unseenMessages: [second, third].map(({ ticketMessage }) => ({ messageId: ticketMessage.messageId })),
  });
  expect(await gateway.counts()).toEqual(before);
});

test('a private note makes an operator’s last message stale and not a requester’s', async () => {
  const seen = (await add(gateway, {}, requester)).ticketMessage.id;
  const note = await add(gateway, { visibility: 'PRIVATE' });
  expect(await add(gateway, { ifLastMessage: seen }, operator)).toMatchObject({
    code: 'TICKET_CHANGED',
    unseenMessages: [{ messageId: note.ticketMessage.messageId }],
  });
  expect((await add(gateway, { ifLastMessage: seen }, requester)).__typename).toBe('AddTicketMessagePayload');
  const reply = await add(gateway, {}, operator);
  const stale = await add(gateway, { ifLastMessage: seen }, requester);
  expect(stale.code).toBe('TICKET_CHANGED');
  // Its own message in between, and the reply; of the note there is no word.
  expect(stale.unseenMessages!.map((one) => one.messageId)).toEqual([
    expect.any(Number),
    reply.ticketMessage.messageId,
  ]);
  expect(JSON.stringify(stale)).not.toContain(String(note.ticketMessage.messageId));
});

test('of twenty who saw the same last message and write at once, one is in time', async () => {
  const seen = (await add(gateway, { ticket: { ticketId: 2 } })).ticketMessage.id;
  const call = (n: number) =>
    add(
      gateway,
      { ticket: { ticketId: 2 }, ifLastMessage: seen, body: `reply ${n}` },
      n % 2 ? operator : requester,
    );
  const results = await Promise.all(Array.from({ length: 20 }, (_, n) => call(n)));
  const names = results.map((result) => result.__typename);
  expect(names.filter((name) => name === 'AddTicketMessagePayload')).toHaveLength(1);
  expect(names.filter((name) => name === 'TicketChangedError')).toHaveLength(19);
});

test('an id of no message is refused with its path; one after the last is not stale', async () => {
  expect(await add(gateway, { ifLastMessage: 'nonsense' })).toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ path: ['ifLastMessage'] }],
  });
  expect((await add(gateway, { ifLastMessage: messageId(2_000_000) })).code).toBeUndefined();
});

test('one with a condition gets its turn, however many others write to the ticket', async () => {
  const seen = (await add(gateway, { ticket: { ticketId: 2 } })).ticketMessage.id;
  let answered = 0;
  let isOver = false;
  /** Its private notes change nothing for the requester. */
  const keepsWriting = async () => {
    for (; !isOver && answered < 1000; answered += 1)
      await add(gateway, { ticket: { ticketId: 2 }, visibility: 'PRIVATE' }, operator);
  };
  const others = Array.from({ length: 12 }, keepsWriting);
  await eventually(() => answered > 24);
  const conditional = add(gateway, { ticket: { ticketId: 2 }, ifLastMessage: seen }, requester);
  await conditional;
  isOver = true;
  await Promise.all(others);
  expect((await conditional).__typename).toBe('AddTicketMessagePayload');
  expect(answered).toBeLessThan(1000);
});
