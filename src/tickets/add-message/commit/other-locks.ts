import { lockedTableOf } from '../../../platform/database-faults.ts';
import type { MessageRow } from '../columns.ts';

/**
 * Tables of which a message locks a row besides its ticket's, for a foreign key or a unique one, with the
 * name of that row's lane; undefined for a message that locks none. With a line break, no reference of a
 * ticket is such a name.
 */
const laneIn = {
  users: ({ viewerId }) => `author\n${viewerId}`,
  mailboxes: ({ from }) => from && `mailbox\n${from.toLowerCase()}`,
  idempotency_keys: ({ viewerId, idempotencyKey }) => idempotencyKey && `key\n${viewerId} ${idempotencyKey}`,
} as const satisfies Readonly<Record<string, (row: MessageRow) => string | undefined>>;
const tables = Object.keys(laneIn) as (keyof typeof laneIn)[];

/** The lanes of all rows that a message locks besides its ticket's. */
export const otherLanesOf = (row: MessageRow): string[] =>
  tables.map((table) => laneIn[table](row)).filter((lane) => lane !== undefined);

/**
 * Which of a group's messages need the row that their statement has waited for in vain.
 * @returns a function that returns the row's lane for a message that may need it, and undefined for any
 *   other; undefined instead of a function when it is not known which row that is
 */
export function findLocked(
  rows: readonly MessageRow[],
  lockTimeout: unknown,
): ((row: MessageRow) => string | undefined) | undefined {
  const table = lockedTableOf(lockTimeout, tables);
  if (table === undefined) return undefined;
  const laneOf = laneIn[table];
  return rows.some((row) => laneOf(row) !== undefined) ? laneOf : undefined;
}
