import { type SQL, sql } from 'drizzle-orm';
import { insertFrom } from '../db/insert-from.ts';
import { auditEntries } from '../db/tables.ts';

/**
 * Builds the statement that writes an audit entry. The caller executes it, in the transaction of the change
 * that it is about. The entry has no actor, because nobody is signed in on the command line.
 * @param action the code of what was done: `USER_ADDED`
 * @param details stored as JSON, with `by: 'command line'`
 * @param ticketId the ticket that it is about, if it is about one
 */
export const auditEntry = (
  action: string,
  details: Readonly<Record<string, unknown>>,
  ticketId: number | null = null,
): SQL =>
  insertFrom(
    auditEntries,
    {
      action: sql`${action}::text`,
      ticketId: sql`${ticketId}::int`,
      details: sql`${JSON.stringify({ by: 'command line', ...details })}::jsonb`,
    },
    sql`(select) as one`,
  );
