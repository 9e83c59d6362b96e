import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { placeOf } from '../support/cursor.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, basic, type Gateway, startGateway } from '../support/gateway.ts';
import { openRequesterSession } from './requester-session.ts';

const canary = 'CANARY-7f3a';
let gateway: Gateway;
/** What is in the ticket of the demo's requester that is none of his business. */
let secret: { message: string; attachment: string; delivery: string; last: string };
let seen: string[] = [];

const add = `mutation($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  __typename
  ... on AddTicketMessagePayload {
    cursor delivery { id bcc }
    ticketMessage { id messageId delivery { id } attachments { id } ticket { messageCount } }
    ticket { messageCount cursor messages(last: 100) { edges { cursor node { id visibility body bodyText
    delivery { id } } } } }
  }
  ... on TicketChangedError { unseenMessages { id body bodyText delivery { id } attachments { id fileName }
  } }
  ... on UserError { code message }
} }`;
interface Added {
  // biome-ignore lint/suspicious/noExplicitAny: a payload, looked at as a whole.
  addTicketMessage: any;
}
const input = (more: object) => ({ input: { ticket: { ticketId: 47 }, body: 'x', ...more } });

beforeAll(async () => {
  gateway = await startGateway();
  const before = await gateway.graphql<Added>(add, input({}), { authorization: asRequester });
  const mailed = await gateway.graphql<Added>(
    add,
    input({ email: { from: 'company@domain.com', bcc: [`${canary}@b.cz`] } }),
  );
  const hidden = await gateway.graphql<Added>(
    add,
    input({ body: canary, visibility: 'PRIVATE', idempotencyKey: canary, attachments: [{ file: null }] }),
    { files: [new File([canary], `${canary}.txt`)] },
  );
  const { ticketMessage } = hidden.data.addTicketMessage;
  secret = {
    message: ticketMessage.id,
    attachment: ticketMessage.attachments[0].id,
    delivery: mailed.data.addTicketMessage.delivery.id,
    last: mailed.data.addTicketMessage.ticketMessage.id,
  };
  seen = [before.data.addTicketMessage.ticketMessage.id];
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('a requester sees nothing private by ids, pages, counts, cursors, refusals or keys', async () => {
  const ask = async (query: string, variables: object = {}) => {
    const { data, errors } = await gateway.graphql<Record<string, never>>(query, variables, {
      authorization: asRequester,
    });
    return { data, errors };
  };
  const nodes = await ask('query($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: [secret.message, secret.attachment, secret.delivery],
  });
  expect(nodes.data).toEqual({ nodes: [null, null, null] });
  const changed = await ask(add, input({ ifLastMessage: seen[0] }));
  expect(changed.data).toMatchObject({
    addTicketMessage: {
      __typename: 'TicketChangedError',
      unseenMessages: [{ id: secret.last, delivery: null }],
    },
  });
  // Only the private note came after it, which is no news to a requester.
  const unchanged = await ask(add, input({ ifLastMessage: secret.last, idempotencyKey: canary }));
  const { ticket, ticketMessage, cursor, delivery } = (unchanged.data as unknown as Added).addTicketMessage;
  expect(delivery).toBeNull();
  const [row] = await gateway.sql`
    select public_message_count, last_public_event_number, last_event_number, (select count(*)::int
    from messages
      where ticket_id = 47 and visibility = 'PUBLIC') as public from tickets where id = 47`;
  expect(row!.last_event_number).not.toBe(row!.last_public_event_number);
  expect([ticket.messageCount, ticketMessage.ticket.messageCount]).toEqual([row!.public, row!.public]);
  expect([cursor, ticket.cursor].map(placeOf)).toEqual(Array(2).fill(row!.last_public_event_number));
  expect(ticket.messages.edges).toHaveLength(row!.public);
  const everything = JSON.stringify([nodes, changed, unchanged]);
  expect(everything).not.toContain(canary);
  expect(everything).not.toContain('PRIVATE');
  expect(everything).not.toContain(secret.message);
  const forbidden = await ask('{ deliveries { edges { cursor } } }');
  expect(forbidden.errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
  const preview = await ask(
    add.replace('mutation(', 'mutation('),
    input({ email: { from: 'company@domain.com' } }),
  );
  expect(preview.data).toMatchObject({ addTicketMessage: { code: 'FORBIDDEN' } });
});

test('a requester sees nothing of the desk’s events, and private ones of no ticket', async () => {
  const { data } = await gateway.graphql<{ deskCursor: string }>('{ deskCursor }');
  const cursors = ['', `(after: "${data.deskCursor}")`, '(after: "junk")', '(first: 1000)'];
  const seen = 'cursor ticket { ticketId } ticketMessage { body }';
  const queries = [
    '{ deskCursor }',
    ...cursors.map((args) => `{ deskEvents${args} { events { ${seen} } } }`),
  ];
  const refusals = [];
  for (const query of queries) {
    const answer = await gateway.graphql(query, {}, { authorization: asRequester });
    expect(Object.values(answer.data)).toEqual([null]);
    refusals.push(answer.errors!.map(({ message, extensions }) => [message, extensions?.code]));
  }
  const query = `subscription { deskEvents(after: "${data.deskCursor}") { ${seen} } }`;
  const stream = await openStream(gateway.url, { query }, { authorization: asRequester });
  const told = (await stream.next())!.data!;
  refusals.push(told.errors!.map(({ message, extensions }) => [message, extensions.code]));
  expect((await stream.next())?.event).toBe('complete');
  // The same, whatever the arguments are: they are not looked at.
  expect(refusals).toEqual(refusals.map(() => [['Only operators may watch the whole desk', 'FORBIDDEN']]));
  const own = await gateway.graphql<{ ticketEvents: { ticketMessage: object | null }[] }>(
    `{ ticketEvents(ticket: { ticketId: 47 }) { cursor type visibility actor { name email }
      ticket { messageCount cursor } delivery { id bcc }
      ticketMessage { id body attachments { id fileName url } delivery { id } } } }`,
    {},
    { authorization: asRequester },
  );
  expect(own.data.ticketEvents.length).toBeGreaterThan(0);
  const text = JSON.stringify(own.data);
  for (const hidden of [canary, 'PRIVATE', secret.message, secret.attachment, secret.delivery, 'operator@'])
    expect(text).not.toContain(hidden);
});

test('private files and sources are answered as what does not exist, to the byte', async () => {
  const get = async (path: string, authorization: string) => {
    const response = await fetch(gateway.url + path, { headers: { authorization } });
    const headers = Object.fromEntries(
      [...response.headers].filter(([name]) => !['date', 'x-request-id'].includes(name)),
    );
    return { status: response.status, headers, body: await response.text() };
  };
  const missing = encodeGlobalId('Attachment', 2_000_000_000);
  expect((await get(`/attachments/${secret.attachment}`, asOperator)).body).toBe(canary);
  const hidden = await get(`/attachments/${secret.attachment}`, asRequester);
  expect(hidden.status).toBe(404);
  expect(hidden).toEqual(await get(`/attachments/${missing}`, asRequester));
  const nothing = encodeGlobalId('Delivery', 2_000_000_000);
  expect(await get(`/deliveries/${secret.delivery}/source`, asRequester)).toEqual(
    await get(`/deliveries/${nothing}/source`, asRequester),
  );
});

test('row-level security alone shows a requester only his public rows', async () => {
  await using session = await openRequesterSession(gateway);
  const { id, sql } = session;
  const [own] = await sql`
    select (select count(*)::int from tickets where requester_id <> ${id}) as others_tickets,
      (select count(*)::int from messages where visibility = 'PRIVATE') as private_messages,
      (select count(*)::int from messages m where not exists (select from tickets t
      where t.id = m.ticket_id)) as others_messages,
      (select count(*)::int from events where visibility = 'PRIVATE') as private_events`;
  expect(Object.values(own!)).toEqual([0, 0, 0, 0]);
  const [mine] =
    await sql`select (select count(*) from tickets) > 0 as a, (select count(*) from messages) > 0 as b`;
  expect(mine).toEqual({ a: true, b: true });
  for (const table of [
    ...['deliveries', 'delivery_recipients', 'delivery_attempts', 'delivery_sources', 'audit_entries'],
    ...['inbox_mails', 'blobs', 'uploads', 'idempotency_keys', 'api_tokens', 'mailboxes', 'mailbox_grants'],
  ]) {
    const rows = await sql`select from ${sql(table)} limit 1`;
    expect([table, rows.length]).toEqual([table, 0]);
  }
  const hidden = await sql`select from attachments where file_name like ${`${canary}%`}`;
  expect(hidden).toHaveLength(0);
  await expect(sql`delete from messages`).rejects.toThrow(/permission denied/);
  expect((await sql`update tickets set subject = 'mine'`).count).toBe(0);
  await expect(
    sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      values (47, ${id}, 'x', 'TEXT', 'PUBLIC', false)`,
  ).rejects.toThrow(/row-level security/);
  await sql`select set_config('ticketwire.viewer_role', '', false)`;
  expect(await sql`select from messages limit 1`).toHaveLength(0);
});

test('the logs at their most talkative name no body, no address, no password and no token', async () => {
  const { PassThrough } = await import('node:stream');
  const { createLog } = await import('../../src/platform/log.ts');
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => (text += String(chunk)));
  await using chatty = await startGateway({ overrides: { log: createLog('trace', stream) } });
  const call = { headers: { cookie: canary, 'idempotency-key': canary } };
  await chatty.graphql(
    add,
    input({ body: canary, email: { from: 'company@domain.com', cc: [`${canary}@b.cz`] } }),
    call,
  );
  await chatty.graphql(add, input({ body: canary, email: { from: `${canary}@b.cz` } }), call);
  await chatty.graphql(`{ ${canary.replace('-', '_')} }`);
  await chatty.legacy({ TicketREF: canary, Message: canary });
  for (const authorization of [`Bearer ${canary}`, basic(canary), canary, `Bearer tw_${canary}`])
    await chatty.graphql('{ viewer { login } }', {}, { authorization });
  await fetch(`${chatty.url}/graphql?query=${canary}`);
  await chatty.sql`alter table messages rename to gone`;
  await chatty.graphql(add, input({ body: canary }), call);
  await chatty.graphql('{ ticket(by: {ticketId: 47}) { messages { edges { cursor } } } }');
  // Whatever it still has to say, it says as it ends.
  await chatty[Symbol.asyncDispose]();
  expect(text).toContain('"msg":"fault"');
  expect(text).not.toContain(canary);
  expect(text).not.toContain('CANARY_7f3a');
});
