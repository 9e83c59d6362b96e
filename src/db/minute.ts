import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';

/** SQL for the beginning of the minute that an instant is in. */
export const minuteOf = (instant: SQLWrapper): SQL =>
  sql`date_bin('1 minute', ${instant}, timestamptz '2000-01-01 00:00:00+00')`;
