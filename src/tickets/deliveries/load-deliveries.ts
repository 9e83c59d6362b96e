import { asc, inArray } from 'drizzle-orm';
import { deliveries, deliveryAttempts, deliveryRecipients } from '../../db/tables.ts';
import { type DeliveryExplanation, explainDelivery } from '../../mail/outbox/explain-failure.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type {
  AttemptPhase,
  DeliveryState,
  RecipientKind,
  RecipientState,
} from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../permissions.ts';

/** The e-mail of one message. Only operators may see it. */
export interface Delivery {
  readonly id: number;
  readonly messageId: number;
  readonly ticketId: number;
  readonly state: DeliveryState;
  readonly fromAddress: string;
  readonly fromName: string;
  readonly subject: string;
  readonly rfcMessageId: string;
  /** Number of attempts so far. */
  readonly attempts: number;
  /** When the next attempt may begin. Has no meaning once the delivery is settled. */
  readonly dueAt: Date;
  /** When its final state was reached; null until then. */
  readonly settledAt: Date | null;
  /**
   * Why it failed, waits or was cancelled, as recorded: often a mail server's reply. Null if there is nothing
   * to say. `explain` makes a text for people, from the replies for the recipients, or from this if these say
   * nothing.
   */
  readonly failure: string | null;
  readonly createdAt: Date;
  /** In the order of their positions, the To recipient first. */
  readonly recipients: readonly Recipient[];
}

/** A recipient of a delivery. */
export interface Recipient {
  /** Place among the delivery's recipients, from 1. */
  readonly position: number;
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string;
  readonly state: RecipientState;
  /** The server's last reply about this recipient, or why there was none; null before the first attempt. */
  readonly smtpReply: string | null;
  /** The enhanced status code in that reply, such as `5.1.1`; null if it has none. */
  readonly enhancedCode: string | null;
}

/** An attempt to send a delivery. */
export interface DeliveryAttempt {
  readonly deliveryId: number;
  /** Counts the delivery's attempts from 1. */
  readonly number: number;
  /** How far it came. */
  readonly phase: AttemptPhase;
  readonly startedAt: Date;
  /** Null while it runs. */
  readonly endedAt: Date | null;
  /** State of the delivery after it; null while it runs. */
  readonly outcome: DeliveryState | null;
  /** The server's last reply. */
  readonly reply: string | null;
}

/**
 * Explains in English which recipients did not get the mail, why it failed, waits or was cancelled, and what
 * can be done. Undefined when there is nothing to explain.
 */
export const explain = (delivery: Delivery): DeliveryExplanation | undefined => explainDelivery(delivery);

export { explainRecipient } from '../../mail/outbox/explain-failure.ts';

/** Whether the viewer may see deliveries: operators only. */
const mayReadDeliveries = (viewer: Viewer): boolean => isOperator(viewer);

/**
 * Deliveries by the ids of their messages. Messages without a delivery are missing. Empty for requesters. No
 * scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export const loadDeliveriesOf = (
  ctx: TicketContext,
  messageIds: readonly number[],
): Promise<Map<number, Delivery>> =>
  load(ctx, inArray(deliveries.messageId, [...messageIds]), (delivery) => delivery.messageId);

/**
 * Deliveries by id. Unknown ids are missing. Empty for requesters. No scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export const loadDeliveries = (ctx: TicketContext, ids: readonly number[]): Promise<Map<number, Delivery>> =>
  load(ctx, inArray(deliveries.id, [...ids]), (delivery) => delivery.id);

async function load(
  ctx: TicketContext,
  which: ReturnType<typeof inArray>,
  keyOf: (delivery: Delivery) => number,
) {
  const viewer = requireViewer(ctx);
  const found = new Map<number, Delivery>();
  if (!mayReadDeliveries(viewer)) return found;
  return ctx.services.database.readAs(viewer, async (db) => {
    const rows = await db.select().from(deliveries).where(which);
    if (rows.length === 0) return found;
    const ids = rows.map(({ id }) => id);
    const recipients = await db
      .select()
      .from(deliveryRecipients)
      .where(inArray(deliveryRecipients.deliveryId, ids))
      .orderBy(asc(deliveryRecipients.deliveryId), asc(deliveryRecipients.position));
    const byDelivery = Map.groupBy(recipients, ({ deliveryId }) => deliveryId);
    for (const row of rows) {
      const delivery = { ...row, recipients: byDelivery.get(row.id) ?? [] };
      found.set(keyOf(delivery), delivery);
    }
    return found;
  });
}

/**
 * Attempts by delivery id, oldest first. Each given delivery has a list, which is empty for a requester. No
 * scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export async function listAttempts(
  ctx: TicketContext,
  deliveryIds: readonly number[],
): Promise<Map<number, DeliveryAttempt[]>> {
  const viewer = requireViewer(ctx);
  const byDelivery = new Map<number, DeliveryAttempt[]>(deliveryIds.map((id) => [id, []]));
  if (!mayReadDeliveries(viewer)) return byDelivery;
  const rows = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select()
      .from(deliveryAttempts)
      .where(inArray(deliveryAttempts.deliveryId, [...deliveryIds]))
      .orderBy(asc(deliveryAttempts.deliveryId), asc(deliveryAttempts.number)),
  );
  for (const row of rows) byDelivery.get(row.deliveryId)?.push(row);
  return byDelivery;
}
