import type { TicketContext } from '../context.ts';
import { changeDelivery } from './change-delivery.ts';
import type { Delivery } from './load-deliveries.ts';

/** Input of the commands for one delivery. */
export interface DeliveryInput {
  readonly deliveryId: number;
}
/** Input of `resolveDelivery`. */
export interface ResolveDeliveryInput extends DeliveryInput {
  /** ASSUME_SENT marks the mail as sent; RESEND sends it again. */
  readonly as: 'ASSUME_SENT' | 'RESEND';
}

/**
 * Sends again to recipients that failed or are deferred. Recipients who have the mail get no second one. The
 * mail is byte-identical, Message-ID included, and is retried for another five days.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DELIVERY_NOT_FOUND, DELIVERY_STATE
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
 * Cancels a mail that is held, queued or deferred. Its message stays.
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
 * Resolves a mail whose outcome is unknown. ASSUME_SENT marks it as sent. RESEND sends it again with the same
 * Message-ID, so that most clients show a recipient who has it already one mail.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, DELIVERY_NOT_FOUND, DELIVERY_STATE
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
