import { and, eq, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Db } from '../../../db/database.ts';
import { idempotencyKeys, messages } from '../../../db/tables.ts';

/**
 * What is stored for an idempotency key: a digest of the ticket and of the input's fingerprint. In SQL, as
 * only the statement knows the ticket of an input that names it by its reference.
 */
export const storedFingerprint = (ticketId: SQLWrapper, fingerprint: SQLWrapper): SQL =>
  sql`sha256(convert_to(${ticketId} || ':' || ${fingerprint}, 'UTF8'))`;

export interface StoredKey {
  readonly messageId: number;
  readonly ticketId: number;
  /** Whether the key was stored for this fingerprint and the message's ticket. */
  readonly isSameInput: boolean;
}

/** @param fingerprint of the input that is compared with the stored one */
export async function findKey(
  db: Db,
  {
    userId,
    key,
    fingerprint,
  }: { readonly userId: number; readonly key: string; readonly fingerprint: string },
): Promise<StoredKey | undefined> {
  const given = storedFingerprint(messages.ticketId, sql`${fingerprint}::text`);
  const [row] = await db
    .select({
      messageId: idempotencyKeys.messageId,
      ticketId: messages.ticketId,
      isSameInput: sql<boolean>`${idempotencyKeys.fingerprint} = ${given}`,
    })
    .from(idempotencyKeys)
    .innerJoin(messages, eq(messages.id, idempotencyKeys.messageId))
    .where(and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.key, key)))
    .prepare('find_key')
    .execute();
  return row;
}
