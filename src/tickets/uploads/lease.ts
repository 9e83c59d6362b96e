import { and, eq, gt, gte, isNotNull, isNull, lt, not, or, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { openUploads } from '../../db/tables.ts';

/*
 * Leases and offsets of uploads, shared between processes. They need not survive a database crash, so commits
 * are asynchronous.
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
  const taken = db.$with('taken').as(
    db
      .update(openUploads)
      .set({ writer: sql`${writer}::uuid`, wanted: false, leaseUntil })
      .where(and(eq(openUploads.id, id), free))
      .returning({ id: openUploads.id }),
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
    .with(taken, asked)
    .select({ taken: sql<boolean>`exists (select from ${taken})`, noWait })
    .from(openUploads)
    .where(eq(openUploads.id, id))
    .prepare('take_upload_lease');
});

/**
 * Takes the lease of an unfinished upload for 6 seconds if it is free or expired. If another request holds
 * the lease, it is marked as wanted, so that its holder's next renewal fails. It does not wait.
 * @param by random UUID of the request
 * @returns true when it was taken, and when there is no such upload
 */
export async function takeLease(db: Db, uploadId: string, by: string): Promise<boolean> {
  const [row] = await take(db).execute({ id: uploadId, writer: by });
  return row === undefined || row.taken;
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
      .where(eq(openUploads.id, id)),
  );
  return db.with(updated).select({ noWait }).from(nothing).prepare('note_arrived_bytes');
});

/**
 * Records how many bytes of an unfinished upload have arrived altogether, for the quota. The blob store has
 * the exact offset. Needs no lease.
 */
export async function recordArrivedBytes(db: Db, uploadId: string, arrived: number): Promise<void> {
  await arrive(db).execute({ id: uploadId, arrived });
}
