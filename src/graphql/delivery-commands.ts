import { decodeGlobalId } from '../global-id.ts';
import { cancelDelivery, resolveDelivery, retryDelivery } from '../tickets/delivery-commands.ts';
import { listDeliveries } from '../tickets/delivery-list.ts';
import type { Delivery } from '../tickets/ledger.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { DeliveryStateEnum } from './enums.ts';
import { connectionOf, pageComplexity } from './page.ts';
import { orRefusal, refusalTypes, typeOfResult } from './refusal.ts';

const FilterInput = builder.inputType('DeliveryFilter', {
  fields: (t) => ({
    state: t.field({ type: DeliveryStateEnum }),
    hasFailedRecipient: t.boolean({
      description: 'At least one recipient failed, whatever became of the others.',
    }),
    ticket: t.id(),
  }),
});

builder.queryField('deliveries', (t) =>
  t.connection({
    type: DeliveryRef,
    description: 'The ledger, oldest first; for operators. 20 a page unless told, 100 at most.',
    args: { filter: t.arg({ type: FilterInput }) },
    complexity: pageComplexity,
    resolve: (_root, { filter, ...args }, ctx) => {
      const ticketId = filter?.ticket == null ? null : (decodeGlobalId('Ticket', filter.ticket) ?? 0);
      const states = filter?.state == null ? null : [filter.state];
      const { hasFailedRecipient } = filter ?? {};
      return connectionOf(args, (page) =>
        listDeliveries(ctx, { states, hasFailedRecipient, ticketId }, page),
      );
    },
  }),
);

const PayloadRef = builder.objectRef<{ delivery: Delivery }>('DeliveryPayload').implement({
  fields: (t) => ({ delivery: t.field({ type: DeliveryRef, resolve: ({ delivery }) => delivery }) }),
});
const ResultUnion = builder.unionType('DeliveryResult', {
  types: [
    PayloadRef,
    ...refusalTypes('UNAUTHENTICATED', 'FORBIDDEN', 'DELIVERY_NOT_FOUND', 'DELIVERY_STATE'),
  ],
  resolveType: typeOfResult('DeliveryPayload'),
});

const DeliveryInput = builder.inputType('DeliveryInput', {
  fields: (t) => ({ delivery: t.id({ required: true }) }),
});
const ResolutionEnum = builder.enumType('DeliveryResolution', {
  values: {
    ASSUME_SENT: { description: 'It arrived, as far as anybody can tell.' },
    RESEND: {
      description: 'Send it once more, with the same Message-ID: whoever has it already is shown one mail.',
    },
  },
});
const ResolveInput = builder.inputType('ResolveDeliveryInput', {
  fields: (t) => ({
    delivery: t.id({ required: true }),
    as: t.field({ type: ResolutionEnum, required: true }),
  }),
});

const deliveryId = ({ delivery }: { delivery: string }): number => decodeGlobalId('Delivery', delivery) ?? 0;
const payload = (command: Promise<Delivery>) => orRefusal(command.then((delivery) => ({ delivery })));

builder.mutationFields((t) => ({
  retryDelivery: t.field({
    type: ResultUnion,
    description: 'Sends again to those recipients who failed or wait, and to nobody else.',
    args: { input: t.arg({ type: DeliveryInput, required: true }) },
    resolve: (_root, { input }, ctx) => payload(retryDelivery(ctx, { deliveryId: deliveryId(input) })),
  }),
  cancelDelivery: t.field({
    type: ResultUnion,
    description: 'Calls off a mail that is held, queued or deferred; its message stays.',
    args: { input: t.arg({ type: DeliveryInput, required: true }) },
    resolve: (_root, { input }, ctx) => payload(cancelDelivery(ctx, { deliveryId: deliveryId(input) })),
  }),
  resolveDelivery: t.field({
    type: ResultUnion,
    description: 'Says what became of a mail whose outcome is unknown.',
    args: { input: t.arg({ type: ResolveInput, required: true }) },
    resolve: (_root, { input }, ctx) =>
      payload(resolveDelivery(ctx, { deliveryId: deliveryId(input), as: input.as })),
  }),
}));
