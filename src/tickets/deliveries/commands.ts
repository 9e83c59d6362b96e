import type { TicketContext } from '../context.ts';
import { changeDelivery } from './change.ts';
import type { Delivery } from './ledger.ts';

export interface DeliveryInput {
  readonly deliveryId: number;
}
export interface ResolveDeliveryInput extends DeliveryInput {
  readonly as: 'ASSUME_SENT' | 'RESEND';
}

/**
 * Sends again to those recipients who failed, and at once what was deferred; whoever has the mail gets no
 * second one. The mail is the same to the byte, its Message-ID included, and has another five days.
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
 * Calls off a mail that is held, queued or deferred. Its message stays.
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
 * Says what became of a mail whose outcome is unknown. ASSUME_SENT believes that it arrived; RESEND sends it
 * once more with the same Message-ID, so that a recipient who has it already is shown one mail.
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
