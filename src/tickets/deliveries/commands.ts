import type { TicketContext } from '../context.ts';
import { changeDelivery } from './change-delivery.ts';
import type { Delivery } from './load-deliveries.ts';

/** Input of the commands for one delivery. */
export interface DeliveryInput {
  /** The number, not the global id. */
  readonly deliveryId: number;
}
/** Input of `resolveDelivery`. */
export interface ResolveDeliveryInput extends DeliveryInput {
  /** ASSUME_SENT marks the mail as sent; RESEND sends it again. */
  readonly as: 'ASSUME_SENT' | 'RESEND';
}

/**
 * Queues a mail again for the recipients that failed or are deferred; a worker sends it. Allowed in the
 * states FAILED, PARTIALLY_FAILED and DEFERRED. Recipients who have the mail get no second one. The mail
 * keeps its Message-ID. It is byte-identical to the one that an earlier attempt composed, unless a redaction
 * has deleted that. It is retried for another five days.
 * @returns the delivery, which is QUEUED unless a worker has claimed it already
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN also without a grant for the mailbox, DELIVERY_NOT_FOUND,
 *   DELIVERY_STATE
 */
export const retryDelivery = (ctx: TicketContext, { deliveryId }: DeliveryInput): Promise<Delivery> =>
  changeDelivery(ctx, deliveryId, {
    action: 'DELIVERY_RETRIED',
    sends: true,
    event: 'DELIVERY_RETRIED',
    from: ['FAILED', 'PARTIALLY_FAILED', 'DEFERRED'],
    details: {},
    recipients: { from: ['FAILED', 'DEFERRED'], to: 'PENDING' },
  });

/**
 * Cancels a mail that is held, queued or deferred, for the recipients who have not got it. Its message stays.
 * Needs no grant for the mailbox.
 * @returns the delivery, which is CANCELLED
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DELIVERY_NOT_FOUND, DELIVERY_STATE
 */
export const cancelDelivery = (ctx: TicketContext, { deliveryId }: DeliveryInput): Promise<Delivery> =>
  changeDelivery(ctx, deliveryId, {
    action: 'DELIVERY_CANCELLED',
    sends: false,
    event: 'DELIVERY_CANCELLED',
    from: ['HELD', 'QUEUED', 'DEFERRED'],
    details: {},
    recipients: { from: ['PENDING', 'DEFERRED'], to: 'CANCELLED' },
  });

/**
 * Resolves a mail whose outcome is unknown, for the recipients of whom that is true. ASSUME_SENT marks it as
 * sent to them. RESEND queues it again for them with the same Message-ID, so that a recipient who has the
 * mail already sees it once in most clients.
 * @returns the delivery, whose state follows from the states of all its recipients
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN also for RESEND without a grant for the mailbox,
 *   DELIVERY_NOT_FOUND, DELIVERY_STATE in any state but OUTCOME_UNKNOWN
 */
export const resolveDelivery = (
  ctx: TicketContext,
  { deliveryId, as }: ResolveDeliveryInput,
): Promise<Delivery> =>
  changeDelivery(ctx, deliveryId, {
    action: 'DELIVERY_RESOLVED',
    sends: as === 'RESEND',
    event: 'DELIVERY_RESOLVED',
    from: ['OUTCOME_UNKNOWN'],
    details: { as },
    recipients: { from: ['OUTCOME_UNKNOWN'], to: as === 'RESEND' ? 'PENDING' : 'SENT' },
  });
