import { sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import type { KeyRange } from '../blob-store.ts';

/** Result of `countRows`. */
export interface RowCount {
  /** Rows of the table `blobs` in the range, hidden ones included. */
  readonly blobs: number;
  /** Why rows may be invisible, as text for the operator. Undefined when all rows are visible. */
  readonly hidden: string | undefined;
}

/**
 * Counts the rows that refer to files in the range (blobs, attachments, uploads), as this role sees them, and
 * compares the count with the real one. Where row-level security hides rows, every file would look like
 * garbage.
 */
export async function countRows(db: Db, { from, to }: KeyRange): Promise<RowCount> {
  const [row] = await db.execute<Record<'blobs' | 'there' | 'seen', number>>(sql`
    select c.blobs, c.blobs + c.attachments + c.uploads + c.open_uploads as there,
      (select count(*)::int from blobs where key >= ${from} and key < ${to})
      + (select count(*)::int from attachments where blob_key >= ${from} and blob_key < ${to})
      + (select count(*)::int from uploads where blob_key >= ${from} and blob_key < ${to})
      + (select count(*)::int from open_uploads where blob_key >= ${from} and blob_key < ${to}) as seen
    from count_blob_rows(${from}, ${to}) c`);
  const { blobs, there, seen } = row!;
  const hidden =
    seen === there ? undefined : `row-level security hides ${there - seen} of ${there} rows that name files`;
  return { blobs, hidden };
}
