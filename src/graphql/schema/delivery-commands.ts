import { decodeGlobalId } from '../../platform/global-id.ts';
import { cancelDelivery, resolveDelivery, retryDelivery } from '../../tickets/deliveries/commands.ts';
import type { Delivery } from '../../tickets/deliveries/ledger.ts';
import { requireViewer } from '../../tickets/policy.ts';
import type { GraphContext } from '../context/context.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { resultUnion, writeResult } from './refusal.ts';

const PayloadRef = builder.objectRef<{ delivery: Delivery }>('DeliveryPayload').implement({
  description: 'What became of the delivery.',
  fields: (t) => ({
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'The delivery as it is now. Null, with an error FORBIDDEN, without the scope READ.',
      resolve: ({ delivery }, _args, ctx) => {
        // The mail of whoever wrote the message, and not of whoever retries it.
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
  'What `retryDelivery`, `cancelDelivery` and `resolveDelivery` answer: done, or why not.',
);

const id = { required: true, description: 'Global id of the delivery: `"RGVsaXZlcnk6MQ=="`.' } as const;
const DeliveryInput = builder.inputType('DeliveryInput', {
  description: 'Which delivery. Example: `{ delivery: "RGVsaXZlcnk6MQ==" }`.',
  fields: (t) => ({ delivery: t.id(id) }),
});
const ResolutionEnum = builder.enumType('DeliveryResolution', {
  description: 'What an operator decides about a mail whose outcome is unknown.',
  values: {
    ASSUME_SENT: { description: 'It arrived, as far as anybody can tell.' },
    RESEND: {
      description: 'Send it once more, with the same Message-ID: whoever has it already is shown one mail.',
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
  writeResult(ctx, async () => ({ delivery: await command() }));
const needs = 'For operators with the scope MAIL';

builder.mutationFields((t) => ({
  retryDelivery: t.field({
    type: ResultUnion,
    description:
      `Sends again to those recipients who failed or wait, and to nobody else. ${needs} who may send from ` +
      `its mailbox.`,
    args: { input: t.arg({ type: DeliveryInput, required: true, description: 'Which delivery.' }) },
    resolve: (_root, { input }, ctx) =>
      payload(ctx, () => retryDelivery(ctx, { deliveryId: deliveryId(input) })),
  }),
  cancelDelivery: t.field({
    type: ResultUnion,
    description: `Calls off a mail that is held, queued or deferred; its message stays. ${needs}.`,
    args: { input: t.arg({ type: DeliveryInput, required: true, description: 'Which delivery.' }) },
    resolve: (_root, { input }, ctx) =>
      payload(ctx, () => cancelDelivery(ctx, { deliveryId: deliveryId(input) })),
  }),
  resolveDelivery: t.field({
    type: ResultUnion,
    description: `Decides about a mail whose outcome is unknown. ${needs}.`,
    args: {
      input: t.arg({ type: ResolveInput, required: true, description: 'Which delivery, and the decision.' }),
    },
    resolve: (_root, { input }, ctx) =>
      payload(ctx, () => resolveDelivery(ctx, { deliveryId: deliveryId(input), as: input.as })),
  }),
}));
