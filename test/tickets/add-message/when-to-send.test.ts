import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { sampled } from '../../support/soak.ts';
import { type Added, add, ask, untilNoMailIsUnderWay } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(() => untilNoMailIsUnderWay(gateway));

const from = 'company@domain.com';
const mailed = (email: object, ticket = 47) =>
  add(gateway, { ticket: { ticketId: ticket }, email: { from, ...email } });
const stateOf = async ({ ticketMessage }: Added) => {
  const [row] = await gateway.sql<{ state: string }[]>`
    select state from deliveries where message_id = ${ticketMessage.messageId}`;
  return row!.state;
};
const day = 24 * 3600;

test.each([
  ['holdSeconds and sendAt together', { holdSeconds: 60, sendAt: new Date().toISOString() }, ['email']],
  ['a hold of less than nothing', { holdSeconds: -1 }, ['email', 'holdSeconds']],
  ['a hold of more than 30 days', { holdSeconds: 30 * day + 1 }, ['email', 'holdSeconds']],
  [
    'a schedule of more than a year',
    { sendAt: new Date(Date.now() + 367 * day * 1000).toISOString() },
    ['email', 'sendAt'],
  ],
])('%s is refused with its path', async (_, email, path) => {
  const before = await gateway.counts();
  expect(await mailed(email)).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path }] });
  expect(await gateway.counts()).toEqual(before);
});

test('an instant that is none is refused by the schema', async () => {
  for (const sendAt of ['tomorrow', '2026-13-45T00:00:00Z', 1_800_000_000, '2026-11-22']) {
    const answer = await gateway.graphql(
      'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }',
      { input: { ticket: { ticketId: 47 }, body: 'x', email: { from, sendAt } } },
    );
    expect(answer.errors?.[0]?.message).toContain('sendAt');
  }
});

test('a held mail is due later, a scheduled one on time, a past one now; messages are written', async () => {
  const before = Date.now();
  const [longest, scheduled, none, past] = await Promise.all([
    mailed({ holdSeconds: 30 * day }),
    mailed({ sendAt: '2026-12-24T18:00:00.000+01:00' }),
    mailed({ holdSeconds: 0 }),
    mailed({ sendAt: '2020-01-01T00:00:00Z' }),
  ]);
  const due = Date.parse(longest.delivery!.dueAt) - 30 * day * 1000;
  expect(longest.delivery!.state).toBe('HELD');
  expect(due).toBeGreaterThanOrEqual(before);
  expect(due).toBeLessThanOrEqual(Date.now());
  expect(scheduled.delivery).toMatchObject({ state: 'HELD', dueAt: '2026-12-24T17:00:00.000Z' });
  for (const { delivery } of [none, past]) expect(delivery!.state).toBe('QUEUED');
  await gateway.sink.received(2);
  const last = await ask<{ messages: { edges: { node: { messageId: number } }[] } }>(
    gateway,
    '{ ticket(by: { ticketId: 47 }) { messages(last: 4) { edges { node { messageId } } } } }',
    {},
    { authorization: asRequester },
  );
  const told = [longest, scheduled, none, past].map(({ ticketMessage }) => ticketMessage.messageId);
  expect(last.messages.edges.map(({ node }) => node.messageId)).toEqual(told.sort((a, b) => a - b));
});

const replies: [string, string[], string, object, string][] = [
  ['the requester replied, and that was a condition', ['REQUESTER_REPLIED'], asRequester, {}, 'CANCELLED'],
  ['an operator replied, and that was a condition', ['OPERATOR_REPLIED'], asOperator, {}, 'CANCELLED'],
  ['an operator wrote a private note', ['OPERATOR_REPLIED'], asOperator, { visibility: 'PRIVATE' }, 'SENT'],
  ['the requester replied, and that was none', ['OPERATOR_REPLIED'], asRequester, {}, 'SENT'],
];
test.each(sampled(replies, 2))(
  'when %s: %s of a mail that waited is …',
  async (_, cancelIf, authorization, reply, state) => {
    const sent = gateway.sink.mails.length;
    const added = await mailed({ holdSeconds: 1, cancelIf }, 2);
    await add(gateway, { ticket: { ticketId: 2 }, ...reply }, { authorization });
    await expect.poll(() => stateOf(added)).toBe(state);
    expect(gateway.sink.mails.length - sent).toBe(state === 'SENT' ? 1 : 0);
  },
);
