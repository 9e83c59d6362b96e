import { afterAll, beforeAll, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import type { StatementCounter } from '../graphql/statement-counter.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway } from '../support/gateway.ts';
import { startCountedGateway } from '../support/servers/counted-gateway.ts';
import { add } from '../tickets/calls.ts';

/*
 * The time of an answer must not say whether something exists that the caller may not see. So the work is the
 * same for what is hidden and for what is missing: as many statements, with answers of as many bytes.
 */

const parts = new AsyncDisposableStack();
let gateway: Gateway;
let counter: StatementCounter;

/** Names of one thing of each kind. */
interface Named {
  readonly ticketId: number;
  readonly reference: string;
  readonly message: number;
  readonly attachment: number;
  readonly delivery: number;
}
let hidden: Named;
const missing: Named = {
  ticketId: 2_000_000_000,
  reference: 'INC-999999',
  message: 2_000_000_000,
  attachment: 2_000_000_000,
  delivery: 2_000_000_000,
};

beforeAll(async () => {
  ({ gateway, counter } = parts.use(await startCountedGateway({ now: () => new Date() })));
  const [ticket] = await gateway.sql<{ id: number; reference: string }[]>`
    select t.id, t.reference from tickets t join users u on u.id = t.requester_id
    where u.login <> 'requester' and t.status = 'OPEN' order by t.id limit 1`;
  const { id: ticketId, reference } = ticket!;
  const email = { from: 'company@domain.com', holdSeconds: 3600 };
  const input = { ticket: { ticketId }, body: 'hidden', email, attachments: [{ file: null }] };
  await add(gateway, input, { files: [Buffer.from('x')] });
  const [row] = await gateway.sql<{ message: number; attachment: number; delivery: number }[]>`
    select m.id as message, a.id as attachment, d.id as delivery from messages m
    join attachments a on a.message_id = m.id join deliveries d on d.message_id = m.id
    where m.ticket_id = ${ticketId} order by m.id desc limit 1`;
  hidden = { ticketId, reference, ...row! };
});
afterAll(() => parts[Symbol.asyncDispose]());

const graphql = async (query: string, authorization = asRequester) => {
  const { data, errors } = await gateway.graphql(query, {}, { authorization });
  return { data, errors };
};
const get = async (path: string) => {
  const response = await fetch(gateway.url + path, { headers: { authorization: asRequester } });
  return { status: response.status, body: await response.text() };
};
const refused = '... on UserError { code message }';
const reads = '{ id subject messages(last: 20) { edges { node { body attachments { fileName } } } } }';

/** What a requester may try on a name. */
const attempts: Readonly<Record<string, (named: Named) => Promise<unknown>>> = {
  'a ticket by its id': ({ ticketId }) => graphql(`{ ticket(by: { ticketId: ${ticketId} }) ${reads} }`),
  'a ticket by its reference': ({ reference }) =>
    graphql(`{ ticket(by: { reference: "${reference}" }) ${reads} }`),
  nodes: ({ ticketId, message, attachment, delivery }) => {
    const ids = Object.entries({
      Ticket: ticketId,
      Message: message,
      Attachment: attachment,
      Delivery: delivery,
    });
    const list = ids.map(([type, id]) => JSON.stringify(encodeGlobalId(type as 'Ticket', id))).join();
    return graphql(`{ nodes(ids: [${list}]) { __typename id } }`);
  },
  'its events': ({ ticketId }) =>
    graphql(`{ ticketEvents(ticket: { ticketId: ${ticketId} }) { cursor ticket { subject } } }`),
  'watching it': async ({ ticketId }) => {
    const query = `subscription { ticketEvents(ticket: { ticketId: ${ticketId} }) { cursor } }`;
    const stream = await openStream(gateway.url, { query }, { authorization: asRequester });
    const told = await stream.next();
    stream.leave();
    return told?.data?.errors?.map(({ message }) => message);
  },
  'a message to it': ({ ticketId }) =>
    graphql(`mutation { addTicketMessage(input: { ticket: { ticketId: ${ticketId} }, body: "x" }) {
      __typename ${refused} } }`),
  'marking it as seen': ({ ticketId, message }) =>
    graphql(`mutation { markSeen(input: { ticket: { ticketId: ${ticketId} },
      message: "${encodeGlobalId('Message', message)}" }) { __typename ${refused} } }`),
  'searching its reference': ({ reference }) =>
    graphql(`{ search(text: "${reference}", first: 10) { edges { node { __typename } } } }`),
  'listing by its reference': ({ reference }) =>
    graphql(`{ tickets(filter: { reference: "${reference}" }, first: 10) { totalCount edges { cursor } } }`),
  'its attachment': ({ attachment }) => get(`/attachments/${encodeGlobalId('Attachment', attachment)}`),
  'its mail': ({ delivery }) => get(`/deliveries/${encodeGlobalId('Delivery', delivery)}/source`),
};

/** The work of an attempt: the least of some, because a connection prepares what it meets first. */
async function workOf(attempt: () => Promise<unknown>) {
  const seen = [];
  for (let n = 0; n < 8; n += 1) {
    const [executed, answered] = [counter.executed, counter.answered];
    const answer = await attempt();
    seen.push({ answer, statements: counter.executed - executed, bytes: counter.answered - answered });
  }
  return {
    answer: seen[0]!.answer,
    statements: Math.min(...seen.map(({ statements }) => statements)),
    bytes: Math.min(...seen.map(({ bytes }) => bytes)),
  };
}

test.each(Object.keys(attempts))('what is hidden costs the work of what is missing: %s', async (name) => {
  const attempt = attempts[name]!;
  const ofHidden = await workOf(() => attempt(hidden));
  const ofMissing = await workOf(() => attempt(missing));
  expect(ofHidden).toEqual(ofMissing);
});

test('what may be seen takes more work than what is missing, and operators see what is hidden', async () => {
  const attempt = attempts['a ticket by its id']!;
  const ofOwn = await workOf(() => attempt({ ...missing, ticketId: 47 }));
  const ofMissing = await workOf(() => attempt(missing));
  expect(ofOwn.bytes).toBeGreaterThan(ofMissing.bytes);
  const { data } = await graphql(`{ ticket(by: { ticketId: ${hidden.ticketId} }) { id } }`, asOperator);
  expect(data).toEqual({ ticket: { id: encodeGlobalId('Ticket', hidden.ticketId) } });
});
