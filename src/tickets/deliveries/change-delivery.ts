import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { Tx } from '../../db/database.ts';
import { outboxChannel } from '../../db/notify-channels.ts';
import { auditEntries, deliveries, deliveryRecipients, mailboxGrants } from '../../db/tables.ts';
import { appendEvents } from '../../events/append-events.ts';
import { stateOf } from '../../mail/outbox/settlement.ts';
import { afterCommit } from '../../platform/database-faults.ts';
import { Refusal } from '../../platform/errors.ts';
import type { DeliveryState, EventType, RecipientState } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { requireOperator } from '../permissions.ts';
import { refuse } from '../refusals-by-command.ts';
import { inTransaction, lockTicket } from '../transaction.ts';
import { type Delivery, loadDeliveries } from './load-deliveries.ts';

/** A change that an operator makes to one delivery, described as data for `changeDelivery`. */
export interface DeliveryChange {
  /** Name of the action in the audit trail. */
  readonly action: string;
  /** Whether it sends a mail, which needs a grant for the mailbox. */
  readonly sends: boolean;
  /** Event that operators who watch the ticket get. It is private. */
  readonly event: EventType;
  /** States of the delivery in which the change is allowed. */
  readonly from: readonly DeliveryState[];
  /** Details for the audit trail, besides the delivery's previous state. */
  readonly details: Readonly<Record<string, string>>;
  /**
   * Recipients in one of the states `from` get the state `to`. The delivery's own state follows from those of
   * all its recipients.
   */
  readonly recipients: { readonly from: readonly RecipientState[]; readonly to: RecipientState };
}

/**
 * Applies a change to a delivery under its ticket's lock: writes delivery, recipients, audit entry and event
 * in one commit. A delivery that becomes QUEUED is due immediately, is retried for another five days, and the
 * workers are notified. `cancelIf` is emptied in any case.
 * @param deliveryId the number, not the global id
 * @returns the delivery as it is after the commit
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for a requester, for a credential without the scope `mail`, and,
 *   if the change sends the mail, for an operator without a grant for the mailbox; DELIVERY_NOT_FOUND;
 *   DELIVERY_STATE with the current state
 * @throws Unavailable as `inTransaction`, and without `nothingWritten` when the delivery cannot be read after
 *   the commit
 */
export async function changeDelivery(
  ctx: TicketContext,
  deliveryId: number,
  what: DeliveryChange,
): Promise<Delivery> {
  const viewer = requireOperator(ctx, 'do this', 'mail');
  await inTransaction(ctx, (tx) => apply(tx, deliveryId, viewer.userId, what));
  const delivery = (await afterCommit(loadDeliveries(ctx, [deliveryId]))).get(deliveryId);
  if (delivery === undefined) throw new Error(`delivery ${deliveryId} is gone`);
  return delivery;
}

/**
 * Of two concurrent changes, the second is refused because of the state that the first set.
 * @throws Refusal DELIVERY_NOT_FOUND, FORBIDDEN, DELIVERY_STATE
 */
async function apply(tx: Tx, deliveryId: number, actorId: number, what: DeliveryChange): Promise<void> {
  const found = await lock(tx, deliveryId);
  if (found === undefined)
    throw refuse<'changeDelivery'>(
      new Refusal('DELIVERY_NOT_FOUND', 'There is no such delivery', undefined, ['delivery']),
    );
  if (what.sends && !(await maySendFrom(tx, found.mailboxId, actorId)))
    throw refuse<'changeDelivery'>(
      new Refusal('FORBIDDEN', 'You may not send from the mailbox of this delivery'),
    );
  if (!what.from.includes(found.state)) {
    const message = `This cannot be done to a delivery that is ${found.state}`;
    throw refuse<'changeDelivery'>(
      new Refusal('DELIVERY_STATE', message, { state: found.state }, ['delivery']),
    );
  }
  const { from, to } = what.recipients;
  const recipients = await tx
    .select({ position: deliveryRecipients.position, state: deliveryRecipients.state })
    .from(deliveryRecipients)
    .where(eq(deliveryRecipients.deliveryId, deliveryId))
    .orderBy(asc(deliveryRecipients.position));
  const concerned = recipients.filter(({ state }) => from.includes(state)).map(({ position }) => position);
  const state = stateOf(
    recipients.map((one) => (from.includes(one.state) ? to : one.state)),
    'QUEUED',
  );
  await changeRecipients(tx, deliveryId, concerned, to);
  await enter(tx, deliveryId, state);
  await record(tx, found, actorId, what);
  if (state === 'QUEUED') await tx.execute(sql`select pg_notify(${outboxChannel}, '')`);
}

type LockedDelivery = Pick<
  typeof deliveries.$inferSelect,
  'id' | 'ticketId' | 'messageId' | 'mailboxId' | 'state'
>;

/** Locks the ticket first, as every command does. Rows that are read afterwards are current. */
async function lock(tx: Tx, deliveryId: number): Promise<LockedDelivery | undefined> {
  const [place] = await tx
    .select({ ticketId: deliveries.ticketId })
    .from(deliveries)
    .where(eq(deliveries.id, deliveryId));
  if (place === undefined) return undefined;
  await lockTicket(tx, place.ticketId);
  const { id, ticketId, messageId, mailboxId, state } = deliveries;
  const [found] = await tx
    .select({ id, ticketId, messageId, mailboxId, state })
    .from(deliveries)
    .where(eq(deliveries.id, deliveryId))
    .for('no key update');
  return found;
}

async function maySendFrom(tx: Tx, mailboxId: number, userId: number): Promise<boolean> {
  const grants = await tx
    .select({ userId: mailboxGrants.userId })
    .from(mailboxGrants)
    .where(and(eq(mailboxGrants.mailboxId, mailboxId), eq(mailboxGrants.userId, userId)));
  return grants.length > 0;
}

/** The recipient's other columns. A pending recipient has no server reply yet. */
const answers = (state: RecipientState) => {
  if (state === 'PENDING') return { smtpReply: null, enhancedCode: null };
  return state === 'SENT' ? { sentAt: sql`clock_timestamp()` } : {};
};

async function changeRecipients(
  tx: Tx,
  deliveryId: number,
  positions: readonly number[],
  state: RecipientState,
): Promise<void> {
  if (positions.length === 0) return;
  await tx
    .update(deliveryRecipients)
    .set({ state, ...answers(state) })
    .where(
      and(
        eq(deliveryRecipients.deliveryId, deliveryId),
        inArray(deliveryRecipients.position, [...positions]),
      ),
    );
}

/** The delivery's other columns that change with its state. */
const consequences = (state: DeliveryState) => {
  const settled = { settledAt: sql`clock_timestamp()` };
  switch (state) {
    case 'QUEUED':
      return { dueAt: sql`least(${deliveries.dueAt}, now())`, failure: null, settledAt: null };
    case 'SENT':
      return { ...settled, failure: null };
    case 'CANCELLED':
      return { ...settled, failure: 'Cancelled by an operator' };
    default:
      return settled;
  }
};

async function enter(tx: Tx, deliveryId: number, state: DeliveryState): Promise<void> {
  await tx
    .update(deliveries)
    .set({ state, giveUpAt: null, cancelIf: [], ...consequences(state) })
    .where(eq(deliveries.id, deliveryId));
}

/** Writes the audit entry and the event. */
async function record(
  tx: Tx,
  { id, ticketId, messageId, state }: LockedDelivery,
  actorId: number,
  what: DeliveryChange,
) {
  const details = { from: state, ...what.details };
  await tx
    .insert(auditEntries)
    .values({ actorId, action: what.action, ticketId, messageId, deliveryId: id, details });
  await tx.execute(
    appendEvents(ticketId, [{ type: what.event, visibility: 'PRIVATE', actorId, messageId, deliveryId: id }]),
  );
}
