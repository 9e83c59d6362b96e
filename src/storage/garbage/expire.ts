import { and, isNull, lt, or, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { inboxMails, openUploads, uploads } from '../../db/tables.ts';

/** An upload may be attached within a day. One that was lives on as an attachment. */
export const uploadLifetimeHours = 24;
/** From then on, a call with the same key is a new one. */
const idempotencyKeyLifetimeDays = 30;
/** A command that found an upload in its last minute still has to commit. */
const graceHours = 1;
/**
 * Many, as nothing is to be done but to delete them, and each search passes over those that are gone already.
 */
const idempotencyKeyBatch = 5000;

const longAgo = sql`now() - make_interval(hours => ${uploadLifetimeHours + graceHours})`;

/**
 * Some at a time, so that no commit of a busy desk is a long one. By their place in the table, where the old
 * ones lie together.
 */
export async function expireIdempotencyKeys(db: Db): Promise<number> {
  for (let count = 0; ; ) {
    const gone = await db.execute(sql`
      delete from idempotency_keys where ctid = any (array(
        select ctid from idempotency_keys where created_at < now() - make_interval(days => ${idempotencyKeyLifetimeDays})
        limit ${idempotencyKeyBatch} for update skip locked))
      returning 1`);
    count += gone.length;
    if (gone.length < idempotencyKeyBatch) return count;
  }
}

/** Mails of the development inbox, which nobody else keeps. */
export async function expireInboxMails(db: Db, keepDays: number): Promise<number> {
  const gone = await db
    .delete(inboxMails)
    .where(lt(inboxMails.receivedAt, sql`now() - make_interval(days => ${keepDays})`))
    .returning({ id: inboxMails.id });
  return gone.length;
}

/** Counts of a minute that is long over. */
export async function expireRateLimits(db: Db): Promise<void> {
  await db.execute(
    sql`delete from rate_limits where expire < (extract(epoch from now() - interval '1 hour') * 1000)::int8`,
  );
}

/** @returns keys of their blobs, some of which attachments may name */
export async function expireUploads(db: Db): Promise<string[]> {
  const gone = await db
    .delete(uploads)
    .where(lt(uploads.createdAt, longAgo))
    .returning({ key: uploads.blobKey });
  return gone.map(({ key }) => key);
}

/** What never came to its end. @returns keys of the blobs that were begun for it */
export async function expireOpenUploads(db: Db): Promise<string[]> {
  const free = or(isNull(openUploads.leaseUntil), lt(openUploads.leaseUntil, sql`now()`));
  const gone = await db
    .delete(openUploads)
    .where(and(lt(openUploads.createdAt, longAgo), free))
    .returning({ key: openUploads.blobKey });
  return gone.map(({ key }) => key);
}
