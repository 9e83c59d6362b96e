import { decodeGlobalId } from '../../platform/global-id.ts';
import { cancelDelivery, resolveDelivery, retryDelivery } from '../../tickets/deliveries/commands.ts';
import type { Delivery } from '../../tickets/deliveries/load-deliveries.ts';
import { requireViewer } from '../../tickets/permissions.ts';
import type { GraphContext } from '../context/context.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { resultUnion, writeOrRefusal } from './result-union.ts';

const PayloadRef = builder.objectRef<{ delivery: Delivery }>('DeliveryPayload').implement({
  description: 'The changed delivery.',
  fields: (t) => ({
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'The delivery as it is now. Null, with an error FORBIDDEN, without the scope READ.',
      resolve: ({ delivery }, _args, ctx) => {
        // The message may be somebody else's, so seeing its mail needs the scope READ.
        requireViewer(ctx, 'read');
        return delivery;
      },
    }),
  }),
});
const ResultUnion = resultUnion(
  'DeliveryResult',
  'changeDelivery',
  PayloadRef,
  'The delivery, or the refusal of `retryDelivery`, `cancelDelivery` or `resolveDelivery`.',
);

const id = { required: true, description: 'Global id of the delivery: `"RGVsaXZlcnk6MQ=="`.' } as const;
const DeliveryInput = builder.inputType('DeliveryInput', {
  description: 'Which delivery. Example: `{ delivery: "RGVsaXZlcnk6MQ==" }`.',
  fields: (t) => ({ delivery: t.id(id) }),
});
const ResolutionEnum = builder.enumType('DeliveryResolution', {
  description: 'What an operator decides about a mail whose outcome is unknown.',
  values: {
    ASSUME_SENT: { description: 'Treat it as sent.' },
    RESEND: {
      description: 'Send it again with the same Message-ID: mail programs then show recipients one mail.',
    },
  },
});
const ResolveInput = builder.inputType('ResolveDeliveryInput', {
  description:
    'Which delivery, and what to do. Example: `{ delivery: "RGVsaXZlcnk6MQ==", as: ASSUME_SENT }`.',
  fields: (t) => ({
    delivery: t.id(id),
    as: t.field({ type: ResolutionEnum, required: true, description: 'The decision: `ASSUME_SENT`.' }),
  }),
});

const deliveryId = ({ delivery }: { delivery: string }): number => decodeGlobalId('Delivery', delivery) ?? 0;
const payload = (ctx: GraphContext, command: () => Promise<Delivery>) =>
  writeOrRefusal(ctx, async () => ({ delivery: await command() }));
const needs = 'For operators with the scope MAIL';

builder.mutationFields((t) => ({
  retryDelivery: t.field({
    type: ResultUnion,
    description:
      `Sends the mail again to its FAILED and DEFERRED recipients, and to no others. ${needs} who ` +
      'may send from its mailbox.',
    args: { input: t.arg({ type: DeliveryInput, required: true, description: 'Which delivery.' }) },
    resolve: (_root, { input }, ctx) =>
      payload(ctx, () => retryDelivery(ctx, { deliveryId: deliveryId(input) })),
  }),
  cancelDelivery: t.field({
    type: ResultUnion,
    description: `Cancels a mail that is held, queued or deferred. Its message remains. ${needs}.`,
    args: { input: t.arg({ type: DeliveryInput, required: true, description: 'Which delivery.' }) },
    resolve: (_root, { input }, ctx) =>
      payload(ctx, () => cancelDelivery(ctx, { deliveryId: deliveryId(input) })),
  }),
  resolveDelivery: t.field({
    type: ResultUnion,
    description: `Resolves a mail whose outcome is unknown. ${needs}.`,
    args: {
      input: t.arg({ type: ResolveInput, required: true, description: 'Which delivery, and the decision.' }),
    },
    resolve: (_root, { input }, ctx) =>
      payload(ctx, () => resolveDelivery(ctx, { deliveryId: deliveryId(input), as: input.as })),
  }),
}));
