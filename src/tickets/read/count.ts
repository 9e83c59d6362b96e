import { type SQL, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { Reader } from '../../db/database.ts';
import { maxCount } from './page.ts';

/** Counts the matching rows of a table. Stops after `maxCount` rows, and returns null when there are more. */
export async function countUpTo(db: Reader, table: PgTable, where: SQL | undefined): Promise<number | null> {
  const fitting = db
    .select({ one: sql`1`.as('one') })
    .from(table)
    .where(where)
    .limit(maxCount + 1)
    .as('fitting');
  const [row] = await db.select({ count: sql<number>`count(*)::int` }).from(fitting);
  return row!.count > maxCount ? null : row!.count;
}
