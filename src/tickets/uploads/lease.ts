import { and, eq, gt, gte, isNotNull, isNull, lt, not, or, sql } from 'drizzle-orm';
import type { Db, Tx } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { openUploads } from '../../db/tables.ts';

/*
 * Leases and offsets of uploads, shared between processes. They need not survive a database crash, so commits
 * are asynchronous. A process may sleep past the end of its lease and not know: whatever a request changes in
 * the row, it changes only where the row names it as the writer.
 */

/** Seconds until a lease expires unless it is renewed. */
const leaseSeconds = 6;

const noWait = sql<string>`set_config('synchronous_commit', 'off', true)`;
const nothing = sql`(select) as nothing`;
const clock = sql`clock_timestamp()`;
/** A later end of a lease was written before the clock was set back. */
const latest = sql`clock_timestamp() + make_interval(secs => ${10 * leaseSeconds})`;
const leaseUntil = sql`clock_timestamp() + make_interval(secs => ${leaseSeconds})`;
const id = sql.placeholder('id');
const writer = sql.placeholder('writer');

const take = preparePerPool((db: Db) => {
  const free = or(
    isNull(openUploads.writer),
    lt(openUploads.leaseUntil, clock),
    gt(openUploads.leaseUntil, latest),
  );
  const before = db.$with('before').as(
    db
      .select({ id: openUploads.id, writer: openUploads.writer })
      .from(openUploads)
      .where(and(eq(openUploads.id, id), free))
      .for('update'),
  );
  const taken = db.$with('taken').as(
    db
      .update(openUploads)
      .set({ writer: sql`${writer}::uuid`, wanted: false, leaseUntil })
      .from(before)
      .where(eq(openUploads.id, before.id))
      .returning({ unfreed: sql<boolean>`${before.writer} is not null`.as('unfreed') }),
  );
  const held = and(
    isNotNull(openUploads.writer),
    gte(openUploads.leaseUntil, clock),
    not(openUploads.wanted),
  );
  const asked = db.$with('asked').as(
    db
      .update(openUploads)
      .set({ wanted: true })
      .where(and(eq(openUploads.id, id), held)),
  );
  return db
    .with(before, taken, asked)
    .select({ unfreed: sql<boolean | null>`(select ${taken.unfreed} from ${taken})`, noWait })
    .from(openUploads)
    .where(eq(openUploads.id, id))
    .prepare('take_upload_lease');
});

/**
 * Takes the lease of an unfinished upload for 6 seconds if it is free or expired. If another request holds
 * the lease, it is marked as wanted, so that its holder's next renewal fails. It does not wait.
 * @param by random UUID of the request
 * @returns FREE when it was taken, and when there is no such upload; UNFREED when it was taken and the one
 *   who held it has not freed it: that one may have died, or be asleep with its work half done; HELD when
 *   another request holds it
 */
export async function takeLease(db: Db, uploadId: string, by: string): Promise<'FREE' | 'UNFREED' | 'HELD'> {
  const [row] = await take(db).execute({ id: uploadId, writer: by });
  if (row?.unfreed === null) return 'HELD';
  return row?.unfreed ? 'UNFREED' : 'FREE';
}

/** SQL condition: the unfinished upload whose lease `by` has, and nobody has taken since. */
export const isHeldBy = (uploadId: string, by: string) =>
  and(eq(openUploads.id, uploadId), eq(openUploads.writer, by))!;

/** Whether `by` still has the lease of an upload, expired or not. Locks the row in a transaction. */
export async function holdsLease(db: Db | Tx, uploadId: string, by: string): Promise<boolean> {
  const held = await db
    .select({ id: openUploads.id })
    .from(openUploads)
    .where(isHeldBy(uploadId, by))
    .for('update');
  return held.length > 0;
}

const renew = preparePerPool((db: Db) =>
  db
    .update(openUploads)
    .set({ leaseUntil })
    .where(and(eq(openUploads.id, id), eq(openUploads.writer, writer), not(openUploads.wanted)))
    .returning({ id: openUploads.id })
    .prepare('renew_upload_lease'),
);

/**
 * Extends the lease that `by` holds to 6 seconds from now.
 * @returns false when it was lost, another request wants it, or the upload is complete or gone
 */
export async function renewLease(db: Db, uploadId: string, by: string): Promise<boolean> {
  return (await renew(db).execute({ id: uploadId, writer: by })).length > 0;
}

const free = preparePerPool((db: Db) => {
  const freed = db.$with('freed').as(
    db
      .update(openUploads)
      .set({ writer: null, leaseUntil: null, wanted: false })
      .where(and(eq(openUploads.id, id), eq(openUploads.writer, writer))),
  );
  return db.with(freed).select({ noWait }).from(nothing).prepare('free_upload_lease');
});

/** Frees the lease if `by` still holds it; otherwise it does nothing. */
export async function freeLease(db: Db, uploadId: string, by: string): Promise<void> {
  await free(db).execute({ id: uploadId, writer: by });
}

const arrive = preparePerPool((db: Db) => {
  const updated = db.$with('updated').as(
    db
      .update(openUploads)
      .set({ arrived: sql`${sql.placeholder('arrived')}::int` })
      .where(and(eq(openUploads.id, id), eq(openUploads.writer, writer)))
      .returning({ id: openUploads.id }),
  );
  const isHeld = sql<boolean>`exists (select from ${updated})`;
  return db.with(updated).select({ isHeld, noWait }).from(nothing).prepare('note_arrived_bytes');
});

/**
 * Records how many bytes of an unfinished upload have arrived altogether, for the quota. The blob store has
 * the exact offset.
 * @returns false when `by` has lost the lease, or the upload is complete or gone: nothing is recorded then,
 *   and the bytes must not be acknowledged
 */
export async function recordArrivedBytes(
  db: Db,
  uploadId: string,
  by: string,
  arrived: number,
): Promise<boolean> {
  const [row] = await arrive(db).execute({ id: uploadId, writer: by, arrived });
  return row!.isHeld;
}
