import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway } from '../support/gateway.ts';
import { leastOf } from '../support/observed/least-of.ts';
import { startCountedGateway } from '../support/servers/counted-gateway.ts';
import type { StatementCounter } from './statement-counter.ts';

/* However long a page is, related rows are loaded for all of its rows together. */

const MiB = 1024 * 1024;

const parts = new AsyncDisposableStack();
let gateway: Gateway;
let counter: StatementCounter;
beforeAll(async () => {
  ({ gateway, counter } = parts.use(
    await startCountedGateway({ env: { MAX_ANSWER_BYTES: String(8 * MiB) } }),
  ));
  // Every message of every ticket gets two files; every public one of an operator's, a mail with two
  // recipients and two attempts.
  await gateway.sql`
    with b as (insert into blobs (key, byte_size, sha256) values ('k', 1, '') returning key)
    insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
    select m.id, p, b.key, 'a', 'a/b', 1, '' from messages m, b, generate_series(1, 2) p`;
  await gateway.sql`
    with d as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
      rfc_message_id, state)
      select id, ticket_id, 1, 'a', 'a', 'a', '<' || id || '@x>', 'SENT' from messages
      where visibility = 'PUBLIC' returning id
    ), r as (
      insert into delivery_recipients (delivery_id, position, kind, address) select d.id, p, 'TO', 'a'
      from d, generate_series(1, 2) p
    )
    insert into delivery_attempts (delivery_id, number, token, worker) select d.id, n, gen_random_uuid(), 'w'
    from d, generate_series(1, 2) n`;
});
afterAll(() => parts[Symbol.asyncDispose]());

const message = `messageId body bodyHtml author { name email } ticket { reference requester { name } }
  attachments { fileName sha256 redactedAt }
  delivery { state to recipients { address state } attempts { number outcome } }`;

/** Statements that one operation takes, with sign-in and statements' preparation behind it. */
async function statementsOf(query: string, variables: object, authorization: string): Promise<number> {
  const run = async () => {
    const before = counter.executed;
    const answer = await gateway.graphql<object>(query, variables, { authorization });
    expect(answer.errors).toBeUndefined();
    return counter.executed - before;
  };
  await run();
  return leastOf(run);
}

const tickets = `query ($first: Int!, $messages: Int!) { tickets(first: $first) { edges { node {
  reference messageCount cursor requester { name }
  messages(first: $messages) { edges { node { ${message} } } } } } } }`;
const deliveries = `query ($first: Int!) { deliveries(first: $first) { edges { node {
  state to recipients { address } attempts { number } } } } }`;
const nodes =
  `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { ${message} } ... on ` +
  'Ticket { reference requester { name } } } }';

for (const [who, authorization, at] of [
  ['an operator', asOperator, { most: 8, nodes: 9 }],
  // Each read of a requester's says in its own transaction who asks: begin, who, what, commit.
  ['a requester', asRequester, { most: 20, nodes: 30 }],
] as const) {
  test(`a page of tickets with all their messages takes ${who} the same number of statements`, async () => {
    const one = await statementsOf(tickets, { first: 1, messages: 1 }, authorization);
    const ten = await statementsOf(tickets, { first: 10, messages: 3 }, authorization);
    const most = await statementsOf(tickets, { first: 100, messages: 20 }, authorization);
    expect(one).toBeGreaterThan(0);
    expect([one, ten, most]).toEqual([one, one, one]);
    expect(one).toBeLessThanOrEqual(at.most);
  });

  test(`so do many nodes of two types for ${who}`, async () => {
    const ids = (count: number) =>
      Array.from({ length: count }, (_, n) => [
        btoa(`TicketMessage:${n + 1}`),
        btoa(`Ticket:${n + 1}`),
      ]).flat();
    // From the second on, so that the first page holds something for a requester as well.
    const few = await statementsOf(nodes, { ids: ids(12) }, authorization);
    const many = await statementsOf(nodes, { ids: ids(50) }, authorization);
    expect(many).toBe(few);
    expect(many).toBeLessThanOrEqual(at.nodes);
  });
}

test('the ledger of deliveries takes the same number of statements however long it is', async () => {
  const one = await statementsOf(deliveries, { first: 1 }, asOperator);
  expect(await statementsOf(deliveries, { first: 100 }, asOperator)).toBe(one);
  expect(one).toBeLessThanOrEqual(4);
});

test('a message with files, mail and its payload is one statement', async () => {
  const add = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
    ... on AddTicketMessagePayload { cursor ticket { reference messageCount } ticketMessage { messageId body
    attachments { fileName } delivery { state to } } } } }`;
  const input = { ticket: { reference: 'INC-000047' }, body: 'x', email: { from: 'company@domain.com' } };
  expect(await statementsOf(add, { input }, asOperator)).toBe(1);
});

test('100 tickets with 20 messages each are within the cost limit; five times that is not', async () => {
  const ask = async (messages: number) =>
    (await gateway.graphql(tickets, { first: 100, messages })).errors?.map(
      ({ extensions }) => extensions?.code,
    );
  expect(await ask(20)).toBeUndefined();
  expect(await ask(100)).toEqual(['DOCUMENT_TOO_COMPLEX']);
});

describe('long bodies', () => {
  const asked = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { messageId body } } }';
  const written: number[] = [];
  const write = async (count: number, bytes: number, format: 'TEXT' | 'HTML') => {
    const rows = await gateway.sql<{ id: number }[]>`
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select 47, 2, repeat('y', ${bytes}::int), ${format}, 'PUBLIC', false
      from generate_series(1, ${count}::int)
      returning id`;
    written.push(...rows.map(({ id }) => id));
    return rows.map(({ id }) => btoa(`TicketMessage:${id}`));
  };
  // Pages of other tests would have them otherwise.
  afterEach(async () => {
    await gateway.sql`delete from messages where id = any(${written.splice(0)})`;
  });
  /** Statements that a refused answer takes, with those for its messages without their bodies. */
  async function statementsOfRefused(ids: string[], fields: string): Promise<number[]> {
    const without = await statementsOf(asked.replace('body', ''), { ids }, asOperator);
    const refused = await leastOf(async () => {
      const before = counter.executed;
      const { errors } = await gateway.graphql(asked.replace('body', fields), { ids });
      expect(errors!.map(({ extensions }) => extensions?.code)).toEqual(['ANSWER_TOO_LARGE']);
      return counter.executed - before;
    });
    return [refused, without];
  }

  test('are read by the statement up to 4 MiB together', async () => {
    const ids = await write(3, 1.5 * MiB, 'TEXT');
    const without = await statementsOf(asked.replace('body', ''), { ids }, asOperator);
    expect(await statementsOf(asked, { ids }, asOperator)).toBe(without + 2);
  });

  test('are not read at all when the answer cannot hold them', async () => {
    const [refused, without] = await statementsOfRefused(await write(3, 4 * MiB, 'TEXT'), 'body');
    expect(refused).toBe(without);
  });

  test('of HTML count for their safe HTML and their text as well when they are cleaned', async () => {
    const ids = await write(1, 4 * MiB, 'HTML');
    const [refused, without] = await statementsOfRefused(ids, 'bodyHtml bodyText changes { code }');
    expect(refused).toBe(without);
  });
});
