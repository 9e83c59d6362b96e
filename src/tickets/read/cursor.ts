import type { Viewer } from '../../platform/request-context.ts';
import { isOperator } from '../policy.ts';

/** A list that has cursors. Its name is part of each cursor, so that a cursor of another list is rejected. */
export type ListName =
  | 'tickets'
  | 'deliveries'
  | `messages of ${number}`
  | `events of ${number} for ${'operators' | 'requesters'}`;

/** The list of a ticket's messages. */
export const messagesOf = (ticketId: number): ListName => `messages of ${ticketId}`;

/**
 * The list of a ticket's events. Operators and requesters number the events separately, because a gap would
 * reveal a private event.
 */
export const eventsOf = (ticketId: number, byOperators: boolean): ListName =>
  `events of ${ticketId} for ${byOperators ? 'operators' : 'requesters'}`;

/** The viewer's cursor for an event number of a ticket. */
export const eventCursor = (viewer: Viewer, ticketId: number, number: number): string =>
  encodeCursor(eventsOf(ticketId, isOperator(viewer)), number);

/** Makes the cursor of a row. @param place the sort key: a row's id or an event's number */
export const encodeCursor = (list: ListName, place: number): string =>
  Buffer.from(`${list}, ${place}`).toString('base64url');

/** The sort key in a cursor of this list; undefined for any other text. */
export function decodeCursor(list: ListName, cursor: string): number | undefined {
  const text = Buffer.from(cursor.slice(0, 100), 'base64url').toString('latin1');
  const digits = text.startsWith(`${list}, `) ? text.slice(list.length + 2) : '';
  const place = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.POSITIVE_INFINITY;
  return place <= 2_147_483_647 && encodeCursor(list, place) === cursor ? place : undefined;
}
