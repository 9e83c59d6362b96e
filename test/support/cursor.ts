import { ask } from '../tickets/calls.ts';
import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';

/** The number inside a cursor, which clients are not to look at: for tests of gaps and of order. */
export function placeOf(cursor: string): number {
  const [, digits] = /, (\d+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (digits === undefined) throw new Error(`Not a cursor: ${cursor}`);
  return Number(digits);
}

/** The desk's cursor of now, once no event before it is held by a transaction of another test. */
export async function deskCursorOfNow(gateway: Gateway): Promise<string> {
  const held = () => gateway.sql`select 1 from events where place >= event_horizon()`;
  await eventually(async () => (await held()).length === 0);
  return ask<string>(gateway, '{ deskCursor }');
}
