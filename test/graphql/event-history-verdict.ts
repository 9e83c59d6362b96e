import type postgres from 'postgres';
import { expect } from 'vitest';
import { placeOf } from '../support/cursor.ts';
import type { SeenInHistory } from './event-history.ts';

/** The tickets of a history. */
export interface HistoryTickets {
  /** Stays with its requester. */
  readonly kept: number;
  /** Changes hands. */
  readonly moved: number;
  readonly quiet: number;
  /** The last message before the history. */
  readonly begun: number;
}

/** What the watchers saw who saw all that they may: two operators of the desk, and of a ticket each. */
export interface SeenByAll {
  readonly desk: readonly SeenInHistory[];
  readonly deskAgain: readonly SeenInHistory[];
  readonly ofKept: readonly SeenInHistory[];
  readonly ofMoved: readonly SeenInHistory[];
  /** By the requester of `kept`. */
  readonly own: readonly SeenInHistory[];
}

interface EventRow {
  readonly ticket: number;
  readonly number: number;
  readonly visibility: string;
  readonly message: number;
}

const messagesOf = (seen: readonly SeenInHistory[]) =>
  seen.map((event) => event.ticketMessage?.messageId ?? null);

/** Each event that is in the table was seen once, in order, by each who may see it, and nothing else was. */
export async function assertEachOnce(
  sql: postgres.Sql,
  { kept, moved, quiet, begun }: HistoryTickets,
  { desk, deskAgain, ofKept, ofMoved, own }: SeenByAll,
): Promise<void> {
  const rows = await sql<EventRow[]>`
    select ticket_id as ticket, number, visibility, message_id as message from events
    where ticket_id in (${kept}, ${moved}, ${quiet}) order by ticket_id, number`;
  const numbersOf = (ticket: number) =>
    rows.filter((row) => row.ticket === ticket).map(({ number }) => number);
  // By ticket, as operators number its events; a requester's numbers have no gap either.
  for (const [ticket, seen] of [
    [kept, ofKept],
    [moved, ofMoved],
  ] as const)
    expect(seen.map(({ cursor }) => placeOf(cursor))).toEqual(numbersOf(ticket));
  expect(messagesOf(own)).toEqual(
    rows.filter((row) => row.ticket === kept && row.visibility === 'PUBLIC').map(({ message }) => message),
  );
  expect(own.map(({ cursor }) => placeOf(cursor))).toEqual(own.map((_, n) => n + 1));
  // Of the desk: every event since the cursor, once, and each ticket's in order.
  for (const seen of [desk, deskAgain]) {
    expect(new Set(seen.map(({ cursor }) => cursor)).size).toBe(seen.length);
    // An operator sees every ticket: nothing was told in part.
    expect(seen.filter((event) => event.ticket === null)).toEqual([]);
    for (const ticket of [kept, moved]) {
      const messages = messagesOf(seen.filter((event) => event.ticket?.ticketId === ticket));
      const written = rows.filter((row) => row.ticket === ticket && (row.message ?? Infinity) > begun);
      expect(messages).toEqual(written.map(({ message }) => message));
    }
    expect(seen.filter((event) => event.ticket?.ticketId === quiet).length).toBeGreaterThan(0);
  }
  expect(desk.map(({ cursor }) => cursor)).toEqual(deskAgain.map(({ cursor }) => cursor));
}
