import { asc, inArray } from 'drizzle-orm';
import { deliveries, deliveryAttempts, deliveryRecipients } from '../../db/tables.ts';
import { type DeliveryExplanation, explainDelivery } from '../../mail/outbox/failure.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type {
  AttemptPhase,
  DeliveryState,
  RecipientKind,
  RecipientState,
} from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../policy.ts';

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
  readonly attempts: number;
  readonly dueAt: Date;
  readonly settledAt: Date | null;
  /** The ledger's failure text. `explain` puts it in plain words. */
  readonly failure: string | null;
  readonly createdAt: Date;
  readonly recipients: readonly Recipient[];
}

export interface Recipient {
  readonly position: number;
  readonly kind: RecipientKind;
  readonly address: string;
  readonly name: string;
  readonly state: RecipientState;
  readonly smtpReply: string | null;
  readonly enhancedCode: string | null;
}

export interface DeliveryAttempt {
  readonly deliveryId: number;
  readonly number: number;
  readonly phase: AttemptPhase;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  readonly outcome: DeliveryState | null;
  readonly reply: string | null;
}

/** Explains which recipients did not get the mail and why it failed or waits. */
export const explain = (delivery: Delivery): DeliveryExplanation | undefined => explainDelivery(delivery);

export { explainRecipient } from '../../mail/outbox/failure.ts';

export const mayReadDeliveries = (viewer: Viewer): boolean => isOperator(viewer);

/** Deliveries by message id; empty for viewers who may not see deliveries. */
export const loadDeliveriesOf = (
  ctx: TicketContext,
  messageIds: readonly number[],
): Promise<Map<number, Delivery>> =>
  load(ctx, inArray(deliveries.messageId, [...messageIds]), (delivery) => delivery.messageId);

/** Deliveries by id; empty for viewers who may not see deliveries. */
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

/** All attempts of several deliveries, oldest first. */
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
