import { afterAll, beforeAll, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask } from '../tickets/calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const write = async (body: string, more: object = {}) => {
  const input = { ticket: { ticketId: 12 }, body, ...more };
  return (await add(gateway, input, { authorization: asOperator })).ticketMessage.messageId;
};
interface Shown {
  messageId: number;
  body: string;
  createdAt: string;
  redactedAt: string | null;
  language: string | null;
  author: { name: string };
}
const shown = 'messageId body createdAt redactedAt language author { name }';

test('a page shows texts and instants of any kind as they are', async () => {
  const bodies = ['- - M 1 2', 'a\u001fb\u001ec\ttabs', ' ', '–', '日本 🎉'].map((text) => `${text} x`);
  const ids: number[] = [];
  for (const body of bodies) ids.push(await write(body));
  const [old, redacted] = ids as [number, number];
  await gateway.sql`update messages set created_at = '1969-12-31T23:59:58.5Z', language = '- -'
    where id = ${old}`;
  await gateway.sql`update messages set redacted_at = '1960-02-29T00:00:00Z' where id = ${redacted}`;
  await gateway.sql`update users set name = '- T 1'
    where id = (select author_id from messages where id = ${old})`;
  const { messages } = await ask<{ messages: { nodes: Shown[] } }>(
    gateway,
    `{ ticket(by: { ticketId: 12 }) { messages(last: 5) { nodes { ${shown} } } } }`,
    {},
    { authorization: asOperator },
  );
  expect(messages.nodes.map(({ messageId, body }) => [messageId, body])).toEqual(
    ids.map((id, n) => [id, bodies[n]]),
  );
  expect(messages.nodes[0]).toMatchObject({
    createdAt: '1969-12-31T23:59:58.500Z',
    redactedAt: null,
    language: '- -',
    author: { name: '- T 1' },
  });
  expect(messages.nodes[1]!.redactedAt).toBe('1960-02-29T00:00:00.000Z');
});

test('a list shows each viewer the last message that they may see', async () => {
  const publicOne = await write('for everybody');
  const privateOne = await write('for operators', { visibility: 'PRIVATE' });
  const list = `{ tickets(orderBy: LAST_MESSAGE, first: 1) { nodes {
    ticketId requester { name }
    lastMessage { messageId body attachments { fileName } delivery { state } } } } }`;
  const lastFor = async (authorization: string) =>
    (await ask<{ nodes: object[] }>(gateway, list, {}, { authorization })).nodes;
  const common = { ticketId: 12, requester: { name: expect.any(String) } };
  const last = { attachments: [], delivery: null };
  expect(await lastFor(asOperator)).toEqual([
    { ...common, lastMessage: { ...last, messageId: privateOne, body: 'for operators' } },
  ]);
  expect(await lastFor(asRequester)).toEqual([
    { ...common, lastMessage: { ...last, messageId: publicOne, body: 'for everybody' } },
  ]);
});

test('a ticket by its reference has the page that its number has', async () => {
  const pageOf = (by: string) =>
    ask<{ messages: { nodes: Shown[] } }>(
      gateway,
      `{ ticket(by: { ${by} }) { messages(last: 2) { nodes { ${shown} } } } }`,
      {},
      { authorization: asRequester },
    );
  const page = await pageOf('ticketId: 12');
  expect(page.messages.nodes).toHaveLength(2);
  expect(await pageOf('reference: "inc-000012"')).toEqual(page);
});
