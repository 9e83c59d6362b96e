import { and, eq, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { Db } from '../../../db/database.ts';
import { idempotencyKeys, messages } from '../../../db/tables.ts';

/**
 * SQL for the digest that is stored with an idempotency key, of the ticket and the input's fingerprint. It is
 * SQL because a ticket named by its reference gets its id only inside the statement.
 */
export const storedFingerprint = (ticketId: SQLWrapper, fingerprint: SQLWrapper): SQL =>
  sql`sha256(convert_to(${ticketId} || ':' || ${fingerprint}, 'UTF8'))`;

/** An idempotency key that was used before. */
export interface StoredKey {
  /** The message that it created. */
  readonly messageId: number;
  readonly ticketId: number;
  /** Whether the key was stored for this fingerprint and the message's ticket. */
  readonly isSameInput: boolean;
}

/**
 * Finds the message that a user's idempotency key created.
 * @param fingerprint of the current input, which is compared with the stored one
 */
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
