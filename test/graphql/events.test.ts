import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeOf } from '../support/cursor.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, basic, type Gateway, startGateway } from '../support/gateway.ts';
import { soaking } from '../support/soak.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const add = /* GraphQL */ `mutation ($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { ... on AddTicketMessagePayload { cursor ticketMessage { messageId } } }
}`;
interface Added {
  addTicketMessage: { cursor: string; ticketMessage: { messageId: number } };
}
async function say(
  body: string,
  visibility = 'PUBLIC',
  ticketId = 47,
): Promise<{ cursor: string; messageId: number }> {
  const { data } = await gateway.graphql<Added>(add, { input: { ticket: { ticketId }, body, visibility } });
  return { cursor: data.addTicketMessage.cursor, messageId: data.addTicketMessage.ticketMessage.messageId };
}

const subscription = /* GraphQL */ `subscription ($after: String, $ticketId: Int!) {
  ticketEvents(ticket: { ticketId: $ticketId }, after: $after) { cursor type ticketMessage { messageId
  bodyText } }
}`;
interface Seen {
  cursor: string;
  type: string;
  ticketMessage: { messageId: number; bodyText: string };
}

/** Reads a subscription's events off the wire until there are `count` of them. */
async function watch(
  count: number,
  after: string | null,
  authorization: string,
  ticketId = 47,
  url = gateway.url,
  told = () => {},
): Promise<Seen[]> {
  const stream = await openStream(
    url,
    { query: subscription, variables: { after, ticketId } },
    { authorization },
  );
  expect(stream.response.headers.get('content-type')).toContain('text/event-stream');
  const seen: Seen[] = [];
  try {
    while (seen.length < count) {
      const event = await stream.next();
      if (event === undefined) break;
      if (event.data === undefined) continue;
      seen.push(event.data.data!.ticketEvents as Seen);
      told();
    }
  } finally {
    stream.leave();
  }
  return seen;
}

describe('ticketEvents', () => {
  it('replays what was missed and goes on live, without a gap or a repeat', async () => {
    const { cursor } = await say('before');
    const first = await say('missed');
    const watching = watch(6, cursor, asOperator);
    const later: { messageId: number }[] = [];
    for (let n = 0; n < 5; n += 1) later.push(await say(`live ${n}`));
    const seen = await watching;
    expect(seen.map(({ ticketMessage }) => ticketMessage.messageId)).toEqual(
      [first, ...later].map(({ messageId }) => messageId),
    );
    expect(seen.map((event) => placeOf(event.cursor))).toEqual(
      Array.from({ length: 6 }, (_, n) => placeOf(cursor) + 1 + n),
    );
  });

  it('tells a requester of public messages only, with cursors that leave no gap', async () => {
    const start = await gateway.graphql<{ ticket: { cursor: string } }>(
      '{ ticket(by: {ticketId: 47}) { cursor } }',
      {},
      { authorization: asRequester },
    );
    const after = start.data.ticket.cursor;
    const watching = watch(2, after, asRequester);
    const one = await say('one');
    await say('a note among operators', 'PRIVATE');
    const two = await say('two');
    const seen = await watching;
    expect(seen.map(({ ticketMessage }) => ticketMessage.messageId)).toEqual([one.messageId, two.messageId]);
    expect(seen.map((event) => placeOf(event.cursor))).toEqual([placeOf(after) + 1, placeOf(after) + 2]);
  });

  // `npm test` has watchers of two processes in test/graphql/event-history.test.ts.
  it.runIf(soaking)('sees what another gateway process wrote', async () => {
    await using other = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
    const { cursor } = await say('here');
    const watching = watch(1, cursor, asOperator, 47, other.url);
    const { messageId } = await say('there');
    expect((await watching)[0]!.ticketMessage.messageId).toBe(messageId);
  });

  it('answers the same as a query', async () => {
    const { cursor } = await say('before the page');
    const { messageId, cursor: next } = await say('on the page');
    const query =
      '{ ticketEvents(ticket: {ticketId: 47}, after: "CURSOR") { cursor type ticketMessage { messageId ' +
      '} actor { name } } }';
    const { data } = await gateway.graphql<{ ticketEvents: object[] }>(query.replace('CURSOR', cursor));
    expect(data.ticketEvents).toEqual([
      {
        cursor: next,
        type: 'MESSAGE_ADDED',
        ticketMessage: { messageId },
        actor: { name: expect.any(String) },
      },
    ]);
  });

  it('refuses a ticket that may not be seen, a cursor that is none, and a stranger', async () => {
    const codeOf = async (query: string, authorization: string | null) => {
      const { errors } = await gateway.graphql(query, {}, { authorization });
      return errors?.[0]?.extensions?.code;
    };
    expect(await codeOf('{ ticketEvents(ticket: {ticketId: 1}) { cursor } }', asRequester)).toBe(
      'TICKET_NOT_FOUND',
    );
    expect(await codeOf('{ ticketEvents(ticket: {ticketId: 47}, after: "x") { cursor } }', asOperator)).toBe(
      'INVALID_INPUT',
    );
    for (const [who, as] of Object.entries({ operators: asOperator, requesters: asRequester })) {
      const ahead = Buffer.from(`events of 47 for ${who}, 1000`).toString('base64url');
      expect(await codeOf(`{ ticketEvents(ticket: {ticketId: 47}, after: "${ahead}") { cursor } }`, as)).toBe(
        'INVALID_INPUT',
      );
    }
    expect(await codeOf('{ ticketEvents(ticket: {ticketId: 47}) { cursor } }', null)).toBe('UNAUTHENTICATED');
    expect(
      (
        await fetch(`${gateway.url}/graphql`, {
          method: 'POST',
          headers: { authorization: basic('operator', 'no') },
        })
      ).status,
    ).toBe(401);
  });

  it('cuts its streams when the gateway drains, as what is complete is not asked for again', async () => {
    const ending = await startGateway({ env: { ROLES: 'web' }, database: gateway.database });
    const begun = Promise.withResolvers<void>();
    const watching = watch(1000, null, asOperator, 47, ending.url, begun.resolve);
    const cut = expect(watching).rejects.toThrow('terminated');
    await begun.promise;
    await ending[Symbol.asyncDispose]();
    await cut;
  });
});
