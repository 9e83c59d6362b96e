import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenedStream, openStream, type StreamEvent } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { add, ask } from '../tickets/calls.ts';

/* The database may be away at the moment when an event is shown. */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const query = `subscription ($after: String) { ticketEvents(ticket: { ticketId: 47 }, after: $after) {
  cursor ticket { reference } ticketMessage { bodyText attachments { fileName } } } }`;

const watch = (after: string, lastEventId?: string) =>
  openStream(
    gateway.url,
    { query, variables: { after } },
    { authorization: asOperator, ...(lastEventId !== undefined && { 'last-event-id': lastEventId }) },
  );

/** The next event, while each statement that waits for a locked table loses its connection. */
async function nextWithoutDatabase({ sql }: Gateway, stream: OpenedStream): Promise<StreamEvent | undefined> {
  let told: { event: StreamEvent | undefined } | undefined;
  void stream.next().then((event) => {
    told = { event };
  });
  return (
    await eventually(async () => {
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return told;
    })
  ).event;
}

test('an event that the database could not show is not passed over: the stream resumes with it', async () => {
  const ticket = '{ ticket(by: { ticketId: 47 }) { cursor } }';
  const { cursor } = await ask<{ cursor: string }>(gateway, ticket, {}, { authorization: asOperator });
  const stream = await watch(cursor);
  await add(gateway, { body: 'before' });
  const before = await stream.next();
  expect(before?.id).toBeDefined();
  let told: StreamEvent | undefined;
  await gateway.sql.begin(async (tx) => {
    await tx`lock table attachments in access exclusive mode`;
    await add(gateway, { body: 'meanwhile' });
    told = await nextWithoutDatabase(gateway, stream);
  });
  // The event is not told in part, and the cursor stands before it.
  expect(told?.data?.errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAVAILABLE']);
  expect(told?.data?.data ?? null).toBeNull();
  expect(told?.id).toBe(before?.id);
  // The stream is cut without `complete`, so that the client comes back.
  expect((await stream.next().catch(() => undefined))?.event).toBeUndefined();
  const again = await watch(cursor, told!.id);
  expect((await again.next())?.data).toEqual({
    data: {
      ticketEvents: {
        cursor: expect.any(String),
        ticket: { reference: expect.any(String) },
        ticketMessage: { bodyText: 'meanwhile', attachments: [] },
      },
    },
  });
  again.leave();
});

test('who watches the desk from now on can resume, also if it was told of no event yet', async () => {
  // Of its own: an event of another test may still be held back by a transaction in another database.
  await using gateway = await startGateway({ env: { ROLES: 'web' } });
  const document = 'subscription { deskEvents { ticketMessage { bodyText attachments { fileName } } } }';
  const watchDesk = (id?: string) =>
    openStream(
      gateway.url,
      { query: document },
      { authorization: asOperator, ...(id !== undefined && { 'last-event-id': id }) },
    );
  const [lost, stream] = [await watchDesk(), await watchDesk()];
  void lost.next().catch(() => {});
  const begun = await eventually(() => lost.lastId);
  lost.leave();
  let told: StreamEvent | undefined;
  await gateway.sql.begin(async (locking) => {
    // Held until the table is locked.
    await gateway.sql.begin(async (holding) => {
      await holding`select pg_current_xact_id()`;
      await add(gateway, { body: 'the first' });
      await locking`lock table attachments in access exclusive mode`;
    });
    told = await nextWithoutDatabase(gateway, stream);
  });
  expect(told?.data?.errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAVAILABLE']);
  for (const id of [begun, told!.id]) {
    const again = await watchDesk(id);
    const first = { ticketMessage: { bodyText: 'the first', attachments: [] } };
    expect((await again.next())?.data).toEqual({ data: { deskEvents: first } });
    again.leave();
  }
});
