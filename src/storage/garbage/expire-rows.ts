import { and, isNull, lt, or, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { inboxMails, openUploads, uploads } from '../../db/tables.ts';

/** Hours within which an upload can be attached. */
export const uploadLifetimeHours = 24;
/** After this, a call with the same key is a new one. */
const idempotencyKeyLifetimeDays = 30;
/** A command that found an upload in its last minute still has to commit. */
const graceHours = 1;
/** A large batch, because rows are only deleted, and each search passes over the dead ones again. */
const idempotencyKeyBatch = 5000;
/** Rows that one statement checks: a desk makes fewer in a quarter of an hour. */
const auditEntryBatch = 5000;

const longAgo = sql`now() - make_interval(hours => ${uploadLifetimeHours + graceHours})`;

/**
 * Deletes idempotency keys older than 30 days, in batches, so that no transaction on a busy desk is long.
 * Skips rows that another transaction holds.
 * @returns number of deleted keys
 */
export async function expireIdempotencyKeys(db: Db): Promise<number> {
  for (let count = 0; ; ) {
    const gone = await db.execute(sql`
      delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys
        where created_at < now() - make_interval(days => ${idempotencyKeyLifetimeDays})
        limit ${idempotencyKeyBatch} for update skip locked))
      returning 1`);
    count += gone.length;
    if (gone.length < idempotencyKeyBatch) return count;
  }
}

/**
 * Deletes mails of the development inbox that are older than `keepDays` days.
 * @returns number of deleted mails
 */
export async function expireInboxMails(db: Db, keepDays: number): Promise<number> {
  const gone = await db
    .delete(inboxMails)
    .where(lt(inboxMails.receivedAt, sql`now() - make_interval(days => ${keepDays})`))
    .returning({ id: inboxMails.id });
  return gone.length;
}

/**
 * Deletes audit entries that are older than `keepDays` days, in batches. The gateway's role may not delete
 * them; a function of the owner does, and refuses fewer than 30 days.
 * @returns number of deleted entries
 */
export async function expireAuditEntries(db: Db, keepDays: number): Promise<number> {
  for (let count = 0; ; ) {
    const [row] = await db.execute<{ expired: number }>(
      sql`select expire_audit_entries(${keepDays}::int, ${auditEntryBatch}::int) as expired`,
    );
    count += row!.expired;
    if (row!.expired < auditEntryBatch) return count;
  }
}

/** Deletes rate limit counters whose window ended more than an hour ago. */
export async function expireRateLimits(db: Db): Promise<void> {
  await db.execute(
    sql`delete from rate_limits where expire < (extract(epoch from now() - interval '1 hour') * 1000)::int8`,
  );
}

/**
 * Deletes the rows of complete uploads older than 25 hours: the 24 in which they can be attached, and one for
 * a command that is still committing. Their bytes are not touched.
 * @returns keys of their blobs, some of which attachments may use
 */
export async function expireUploads(db: Db): Promise<string[]> {
  const gone = await db
    .delete(uploads)
    .where(lt(uploads.createdAt, longAgo))
    .returning({ key: uploads.blobKey });
  return gone.map(({ key }) => key);
}

/**
 * Deletes the rows of unfinished uploads older than 25 hours, except those to which a request is appending.
 * Their bytes are not touched.
 * @returns keys of the blobs that were created for them
 */
export async function expireOpenUploads(db: Db): Promise<string[]> {
  const free = or(isNull(openUploads.leaseUntil), lt(openUploads.leaseUntil, sql`now()`));
  const gone = await db
    .delete(openUploads)
    .where(and(lt(openUploads.createdAt, longAgo), free))
    .returning({ key: openUploads.blobKey });
  return gone.map(({ key }) => key);
}
