import { createHash } from 'node:crypto';
import type { Viewer } from '../../platform/request-context.ts';
import { isOperator } from '../permissions.ts';

/** Name of a list. It is part of each cursor, so that a cursor of another list is rejected. */
export type ListName =
  | `tickets ${string}`
  | `hits of ${string}`
  | 'deliveries'
  | `messages of ${number}`
  | `events of ${number} for ${'operators' | 'requesters'}`;

/** A digest of a list's conditions for its name: eight characters. The order of members matters. */
export const digestOf = (conditions: unknown): string =>
  createHash('sha256').update(JSON.stringify(conditions)).digest('base64url').slice(0, 8);

/** Name of the list of a ticket's messages. */
export const messagesOf = (ticketId: number): ListName => `messages of ${ticketId}`;

/**
 * Name of the list of a ticket's events. Operators and requesters number the events separately, because a gap
 * would reveal a private event.
 */
export const eventsOf = (ticketId: number, byOperators: boolean): ListName =>
  `events of ${ticketId} for ${byOperators ? 'operators' : 'requesters'}`;

/** The viewer's cursor for an event number of a ticket. */
export const eventCursor = (viewer: Viewer, ticketId: number, number: number): string =>
  encodeCursor(eventsOf(ticketId, isOperator(viewer)), number);

/**
 * A row's place in its list: its id or number, or several sort keys in the order in which they are compared.
 */
export type Place = readonly number[];

/** Makes the cursor of a place. */
export const encodePlace = (list: ListName, place: Place): string =>
  Buffer.from(`${list}, ${place.join(' ')}`).toString('base64url');

/**
 * The place in a cursor of this list; undefined for any other text. A place may be forged: it need not be
 * that of a row.
 * @param keys number of its sort keys
 */
export function decodePlace(list: ListName, cursor: string, keys: number): Place | undefined {
  const text = Buffer.from(cursor.slice(0, 200), 'base64url').toString('latin1');
  const written = text.startsWith(`${list}, `) ? text.slice(list.length + 2) : '';
  const place = /^-?\d{1,15}( \d{1,10})*$/.test(written) ? written.split(' ').map(Number) : [];
  const isPlace = place.length === keys && Math.abs(place.at(-1)!) <= 2_147_483_647;
  return isPlace && encodePlace(list, place) === cursor ? place : undefined;
}

/** Makes the cursor of a row. @param place the sort key: a row's id or an event's number */
export const encodeCursor = (list: ListName, place: number): string => encodePlace(list, [place]);

/** The sort key in a cursor of `encodeCursor` for this list, at least 0; undefined for any other text. */
export function decodeCursor(list: ListName, cursor: string): number | undefined {
  const place = decodePlace(list, cursor, 1)?.[0];
  return place !== undefined && place >= 0 ? place : undefined;
}
