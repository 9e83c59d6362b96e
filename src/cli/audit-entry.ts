import { type SQL, sql } from 'drizzle-orm';
import { insertFrom } from '../db/insert-from.ts';
import { auditEntries } from '../db/tables.ts';

/**
 * The statement that writes an audit entry. It has no actor, because nobody is signed in on the command line.
 */
export const auditEntry = (action: string, details: Readonly<Record<string, unknown>>): SQL =>
  insertFrom(
    auditEntries,
    {
      action: sql`${action}::text`,
      details: sql`${JSON.stringify({ by: 'command line', ...details })}::jsonb`,
    },
    sql`(select) as one`,
  );
