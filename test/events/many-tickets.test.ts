import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { eventsChannel } from '../../src/db/notify-channels.ts';
import type { StatementCounter } from '../graphql/statement-counter.ts';
import { type OpenedStream, openStream } from '../support/event-stream.ts';
import type { Gateway } from '../support/gateway.ts';
import { leastOf } from '../support/observed/least-of.ts';
import { startCountedGateway } from '../support/servers/counted-gateway.ts';
import { sampled, soaking } from '../support/soak.ts';

/* Tickets that change in the same moment are read together, and what their events show is loaded together. */

const count = 30;
const answerBytes = 256 * 1024;

const parts = new AsyncDisposableStack();
let gateway: Gateway;
let counter: StatementCounter;
beforeAll(async () => {
  const env = { ROLES: 'web', MAX_ANSWER_BYTES: String(answerBytes) };
  ({ gateway, counter } = parts.use(await startCountedGateway({ env })));
});
afterAll(() => parts[Symbol.asyncDispose]());

async function createUser(role: 'OPERATOR' | 'REQUESTER') {
  const login = crypto.randomUUID();
  const [user] = await gateway.sql<{ id: number }[]>`
    insert into users (login, name, role) values (${login}, 'Somebody', ${role}) returning id`;
  const { token } = await createToken(gateway.database.database.desk, {
    ...{ userId: user!.id, name: 'watcher', scopes: ['read'] },
  });
  return { id: user!.id, authorization: `Bearer ${token}` };
}

async function createTickets(requesterId: number, tickets = count): Promise<number[]> {
  const rows = await gateway.sql<{ id: number }[]>`
    insert into tickets (reference, subject, requester_id)
    select gen_random_uuid()::text, 'One of many', ${requesterId} from generate_series(1, ${tickets})
    returning id`;
  return rows.map(({ id }) => id);
}

/** Adds a public message to each ticket, `<text> <ticket's id>`, and commits all of them together. */
const addToAll = (ticketIds: readonly number[], text: string) => gateway.sql`
  with added as (
    insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select id, 1, ${text}::text || ' ' || id, 'TEXT', 'PUBLIC', false
    from tickets where id = any (${[...ticketIds]}::int[]) returning id, ticket_id
  ), happened as (
    insert into events (ticket_id, number, public_number, type, visibility, actor_id, message_id)
    select t.id, t.last_event_number + 1, t.last_public_event_number + 1, 'MESSAGE_ADDED', 'PUBLIC', 1, a.id
    from added a join tickets t on t.id = a.ticket_id
  ), counted as (
    update tickets t set last_event_number = last_event_number + 1, message_count = message_count + 1,
      last_public_event_number = last_public_event_number + 1, last_message_id = a.id,
      public_message_count = public_message_count + 1, last_public_message_id = a.id
    from added a where a.ticket_id = t.id
  )
  select pg_notify(${eventsChannel}, (select string_agg(ticket_id::text, ',') from added))`;

const watch = (ticketId: number, authorization: string): Promise<OpenedStream> => {
  const query = `subscription { ticketEvents(ticket: { ticketId: ${ticketId} }) {
    type actor { name } ticketMessage { bodyText ticket { ticketId } } } }`;
  return openStream(gateway.url, { query }, { authorization });
};

interface Told {
  ticketMessage: { bodyText: string; ticket: { ticketId: number } };
}

/** What each watcher is told next: the ticket, and the first words of its message. */
async function nextOf(streams: readonly OpenedStream[]): Promise<(readonly [number, string])[]> {
  const events = await Promise.all(streams.map((stream) => stream.next()));
  return events.map((event) => {
    expect(event!.data!.errors).toBeUndefined();
    const { ticketMessage } = event!.data!.data!.ticketEvents as Told;
    return [ticketMessage.ticket.ticketId, ticketMessage.bodyText] as const;
  });
}

/** How often each ticket of a test was given a message. */
let written = 0;

/** Commits one message for each ticket. @returns the statements until every watcher has been told */
async function statementsOf(ids: readonly number[], streams: readonly OpenedStream[], text: string) {
  const before = counter.executed;
  const told = nextOf(streams);
  await addToAll(ids, text);
  written += 1;
  const perTicket = streams.length / ids.length;
  const expected = Array.from({ length: perTicket }, () => ids.map((id) => [id, `${text} ${id}`])).flat();
  expect(await told).toEqual(expected);
  return counter.executed - before;
}

const leastFor = (ids: readonly number[], streams: readonly OpenedStream[]): Promise<number> =>
  leastOf((n) => statementsOf(ids, streams, `${n} of ${streams.length}`));

const leave = (streams: readonly OpenedStream[]) => streams.forEach((stream) => void stream.leave());

const viewers = [
  // Each of a requester's reads is a transaction, but for the people: 5 times 5 and 2.
  ['their requester', 'REQUESTER', 27],
  // One reads the events; the messages, tickets and people of 25 events are loaded together.
  ['an operator', 'OPERATOR', 7],
] as const;
test.each(sampled(viewers, 2))(
  'thirty tickets that change together take few statements: %s',
  async (_, role, most) => {
    written = 0;
    const requester = await createUser('REQUESTER');
    const ids = await createTickets(requester.id);
    const { authorization } = role === 'OPERATOR' ? await createUser(role) : requester;
    const streams = await Promise.all(ids.map((id) => watch(id, authorization)));
    const one = await leastFor(ids, streams);
    expect(one).toBeLessThanOrEqual(most);
    // However many watch, as test/graphql/fan-out.test.ts has it of one ticket.
    if (!soaking) return leave(streams);
    const all = [...streams, ...(await Promise.all(ids.map((id) => watch(id, authorization))))];
    for (let n = 0; n < written; n += 1) await nextOf(all.slice(count));
    expect(await leastFor(ids, all)).toBeLessThanOrEqual(one);
    leave(all);
  },
);

test('requesters whose tickets change together are told of their own', async () => {
  const both = [await createUser('REQUESTER'), await createUser('REQUESTER')];
  const ids = await Promise.all(both.map(({ id }) => createTickets(id, soaking ? count : 10)));
  const opened = both.flatMap(({ authorization }, n) => ids[n]!.map((id) => watch(id, authorization)));
  const streams = await Promise.all(opened);
  await statementsOf(ids.flat(), streams, 'to its requester');
  leave(streams);
});

test('each answer has its own limit of bytes, however many are made together', async () => {
  const { id, authorization } = await createUser('OPERATOR');
  const ids = await createTickets(id);
  const streams = await Promise.all(ids.map((ticketId) => watch(ticketId, authorization)));
  // More together than one statement brings with its messages, and than one answer may have.
  await statementsOf(ids, streams, 'x'.repeat(100_000));
  leave(streams);
});
