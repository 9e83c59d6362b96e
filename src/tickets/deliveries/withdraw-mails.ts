import { and, asc, eq, gt, inArray, ne, sql } from 'drizzle-orm';
import { unionAll } from 'drizzle-orm/pg-core';
import type { Tx } from '../../db/database.ts';
import { assign } from '../../db/insert-from.ts';
import { outboxChannel } from '../../db/notify-channels.ts';
import { isAmong } from '../../db/statement-parts.ts';
import { deliveries, deliveryAttempts, deliveryRecipients, deliverySources } from '../../db/tables.ts';
import { waitingAgain } from '../../mail/outbox/delivery-states.ts';
import { notSentAsRedacted, type RedactedPart, redactionOf } from '../../mail/outbox/settlement.ts';
import { d } from '../../mail/table-aliases.ts';
import type { AttemptPhase, DeliveryState } from '../../platform/vocabulary.ts';

interface AffectedMail {
  readonly id: number;
  readonly messageId: number;
  readonly state: DeliveryState;
  readonly phase: AttemptPhase | null;
}

const waiting = new Set<DeliveryState>(['QUEUED', 'HELD', 'DEFERRED']);
/** An attempt before its fence. Clearing its token ends it: the worker then drops the connection. */
const isBeforeFence = ({ state, phase }: AffectedMail): boolean =>
  state === 'TRANSMITTING' && phase !== 'BODY';

/** `redactionOf`, as an attempt to send a later mail has it. */
const quotedRedactionOf: Readonly<Record<RedactedPart, string>> = {
  MESSAGE: 'a message that it may quote was redacted',
  FILE: 'a file of a message that it may quote was redacted',
};

interface Withdrawal {
  readonly part: RedactedPart;
  readonly ticketId: number;
  readonly messageId: number;
  /** Whether later mails may quote it. */
  readonly quoted: boolean;
}

/**
 * Withdraws the mails of a message that was redacted, as a whole or only one of its files. Must be called in
 * the redaction's transaction, under the ticket's lock. The message's own mail is cancelled, unless it is
 * settled or an attempt has begun to send its body. Later mails that may quote the message stay; those that
 * are not sent yet are composed again without what was redacted. An attempt at any of these mails that has
 * not begun to send the body is ended, and the workers are notified. The stored raw mails of the message's
 * own mail and of all later ones that may quote it are deleted, even if they were sent. No event is written.
 * @param redacted the message, its ticket, which part was redacted, and as `quoted` whether later mails may
 *   quote the message, which is so if it is public
 * @returns ids of the deliveries that were cancelled: none or one
 */
export async function withdrawMails(tx: Tx, redacted: Withdrawal): Promise<number[]> {
  const mails = await lockMails(tx, redacted);
  if (mails.length === 0) return [];
  const idsOf = (which: (mail: AffectedMail) => boolean) => mails.filter(which).map(({ id }) => id);
  const isOwn = ({ messageId }: AffectedMail) => messageId === redacted.messageId;
  const cancelled = idsOf((mail) => isOwn(mail) && (waiting.has(mail.state) || isBeforeFence(mail)));
  const { part } = redacted;
  for (const [own, reply] of [
    [true, redactionOf[part]],
    [false, quotedRedactionOf[part]],
  ] as const) {
    const begun = idsOf((mail) => isBeforeFence(mail) && isOwn(mail) === own);
    await endAttempts(tx, begun, reply);
  }
  await cancel(tx, cancelled, notSentAsRedacted(part));
  const all = idsOf(() => true);
  await tx.delete(deliverySources).where(isAmong(deliverySources.deliveryId, all));
  return cancelled;
}

/** Locks the message's own mail and later ones that may quote it. */
async function lockMails(tx: Tx, { ticketId, messageId, quoted }: Withdrawal): Promise<AffectedMail[]> {
  const own = tx.select({ id: deliveries.id }).from(deliveries).where(eq(deliveries.messageId, messageId));
  const quoting = tx
    .select({ id: deliveries.id })
    .from(deliveries)
    .where(
      and(
        eq(deliveries.ticketId, ticketId),
        gt(deliveries.messageId, messageId),
        ne(deliveries.quote, sql`'NONE'`),
      ),
    );
  // Each branch uses an index: the ticket may have a hundred thousand mails, and its lock is held.
  const concerned = quoted ? unionAll(own, quoting) : own;
  return tx
    .select({
      id: deliveries.id,
      messageId: deliveries.messageId,
      state: deliveries.state,
      phase: deliveries.phase,
    })
    .from(deliveries)
    .where(sql`${deliveries.id} = any (array${concerned})`)
    .orderBy(asc(deliveries.id))
    .for('no key update');
}

/** Releases the deliveries to the queue. What is still to be sent is composed again. */
async function endAttempts(tx: Tx, ids: readonly number[], reply: string): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(deliveryAttempts)
    .set({ endedAt: sql`clock_timestamp()`, outcome: 'QUEUED', reply })
    .from(deliveries)
    .where(
      and(
        isAmong(deliveries.id, ids),
        eq(deliveryAttempts.deliveryId, deliveries.id),
        eq(deliveryAttempts.token, deliveries.attempt),
      ),
    );
  const waiting = { state: waitingAgain, attempt: null, phase: null, leaseUntil: null };
  await tx.execute(sql`
    update ${deliveries} d set ${assign(deliveries, waiting)}
    where ${isAmong(d.id, ids)}`);
  await tx.execute(sql`select pg_notify(${outboxChannel}, '')`);
}

async function cancel(tx: Tx, ids: readonly number[], failure: string): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(deliveries)
    .set({
      state: 'CANCELLED',
      settledAt: sql`clock_timestamp()`,
      failure,
      cancelIf: [],
    })
    .where(isAmong(deliveries.id, ids));
  await tx
    .update(deliveryRecipients)
    .set({ state: 'CANCELLED' })
    .where(
      and(
        isAmong(deliveryRecipients.deliveryId, ids),
        inArray(deliveryRecipients.state, ['PENDING', 'DEFERRED']),
      ),
    );
}
