/**
 * A position in the events of the whole desk: the place of the transaction that wrote an event, its ticket,
 * and its number within the ticket as operators count. Reading goes on after a position.
 */
export type DeskPosition = readonly [place: number, ticketId: number, number: number];

const name = 'events of the desk';

/** Makes the cursor of a position: opaque text for clients. */
export const deskCursor = (position: DeskPosition): string =>
  Buffer.from(`${name}, ${position.join(', ')}`).toString('base64url');

/** The position in a cursor of this list; undefined for any other text. */
export function readDeskCursor(cursor: string): DeskPosition | undefined {
  const text = Buffer.from(cursor.slice(0, 200), 'base64url').toString('latin1');
  const [, place, ticketId, number] = /^[a-z ]+, (\d{1,15}), (\d{1,10}), (\d{1,10})$/.exec(text) ?? [];
  const position: DeskPosition = [Number(place), Number(ticketId), Number(number)];
  const isWithin = position.slice(1).every((one) => one <= 2_147_483_647);
  return isWithin && deskCursor(position) === cursor ? position : undefined;
}

/** Whether position `a` is before `b`, not equal: places are compared first, then tickets, then numbers. */
export function isBefore(a: DeskPosition, b: DeskPosition): boolean {
  if (a[0] !== b[0]) return a[0] < b[0];
  if (a[1] !== b[1]) return a[1] < b[1];
  return a[2] < b[2];
}

/** The position before every event. */
export const deskStart: DeskPosition = [0, 0, 0];
