import type { Viewer } from '../../platform/request-context.ts';
import { isOperator } from '../policy.ts';

/**
 * A list that can be read on from a cursor. The name is in its cursors, so that no cursor is taken for one of
 * another list.
 */
export type ListName =
  | 'tickets'
  | 'deliveries'
  | `messages of ${number}`
  | `events of ${number} for ${'operators' | 'requesters'}`;

export const messagesOf = (ticketId: number): ListName => `messages of ${ticketId}`;

/** Operators and requesters count a ticket's events differently, as a gap would tell of a private one. */
export const eventsOf = (ticketId: number, byOperators: boolean): ListName =>
  `events of ${ticketId} for ${byOperators ? 'operators' : 'requesters'}`;

/** Where a ticket's events are read on from, for whoever was told this number. */
export const eventCursor = (viewer: Viewer, ticketId: number, number: number): string =>
  encodeCursor(eventsOf(ticketId, isOperator(viewer)), number);

/** @param place the number that the list is sorted by: a row's id, an event's number */
export const encodeCursor = (list: ListName, place: number): string =>
  Buffer.from(`${list}, ${place}`).toString('base64url');

/** The place that a cursor of this list names; undefined for any other text. */
export function decodeCursor(list: ListName, cursor: string): number | undefined {
  const text = Buffer.from(cursor.slice(0, 100), 'base64url').toString('latin1');
  const digits = text.startsWith(`${list}, `) ? text.slice(list.length + 2) : '';
  const place = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.POSITIVE_INFINITY;
  return place <= 2_147_483_647 && encodeCursor(list, place) === cursor ? place : undefined;
}
