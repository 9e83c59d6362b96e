import { decodeGlobalId, encodeGlobalId } from '../../platform/global-id.ts';
import type { DeliveryState, RecipientKind } from '../../platform/vocabulary.ts';
import {
  countDeliveries,
  type DeliveryFilter,
  listDeliveries,
} from '../../tickets/deliveries/list-deliveries.ts';
import {
  type Delivery,
  type DeliveryAttempt,
  explain,
  explainRecipient,
  type Recipient,
} from '../../tickets/deliveries/load-deliveries.ts';
import { builder } from './builder.ts';
import {
  AttemptPhaseEnum,
  DeliveryStateEnum,
  RecipientKindEnum,
  RecipientStateEnum,
  SuggestedActionEnum,
} from './enums.ts';
import { connectionOf, costOfCounting, pageComplexity, totalCount, totalCountIsExact } from './lists/page.ts';

/**
 * The type `Delivery`, for operators only: each resolver that returns one checks that, and the type does not.
 * This file also defines the query `deliveries`.
 */
export const DeliveryRef = builder.objectRef<Delivery>('Delivery');

const RecipientRef = builder.objectRef<Recipient>('DeliveryRecipient').implement({
  description: 'A recipient of a mail, and the state of their copy.',
  fields: (t) => ({
    kind: t.expose('kind', { type: RecipientKindEnum, description: 'To, Cc or Bcc.' }),
    address: t.exposeString('address', { description: 'E-mail address.' }),
    name: t.exposeString('name', { description: 'Display name. Empty when there is none.' }),
    state: t.expose('state', { type: RecipientStateEnum, description: 'State of this copy.' }),
    smtpReply: t.exposeString('smtpReply', {
      nullable: true,
      description: "The SMTP server's last reply about this recipient: `550 5.1.1 No such user`.",
    }),
    enhancedCode: t.exposeString('enhancedCode', {
      nullable: true,
      description: "The reply's enhanced status code (RFC 3463): `5.1.1`.",
    }),
    failure: t.string({
      nullable: true,
      description: 'Why they did not get the mail, or may not have, in plain words.',
      resolve: (recipient) => explainRecipient(recipient)?.reason ?? null,
    }),
    suggestedAction: t.field({
      type: SuggestedActionEnum,
      nullable: true,
      description: 'What may help; null when nothing is wrong, or nothing is to be done.',
      resolve: (recipient) => explainRecipient(recipient)?.suggestedAction ?? null,
    }),
  }),
});

const AttemptRef = builder.objectRef<DeliveryAttempt>('DeliveryAttempt').implement({
  description: 'One attempt at sending a mail.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first.' }),
    phase: t.expose('phase', { type: AttemptPhaseEnum, description: 'How far it got.' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ended. Null while it is running, and when its worker was lost.',
    }),
    outcome: t.expose('outcome', {
      type: DeliveryStateEnum,
      nullable: true,
      description: "The delivery's state after this attempt. Null until then.",
    }),
    reply: t.exposeString('reply', {
      nullable: true,
      description: "The server's reply, or what went wrong.",
    }),
  }),
});

const addressesOf = ({ recipients }: Delivery, kind: RecipientKind): string[] =>
  recipients.filter((recipient) => recipient.kind === kind).map(({ address }) => address);

builder.node(DeliveryRef, {
  description: 'The delivery of one message as one e-mail. Visible to operators only.',
  id: { resolve: ({ id }) => id },
  fields: (t) => ({
    state: t.expose('state', { type: DeliveryStateEnum, description: 'State of the delivery.' }),
    from: t.exposeString('fromAddress', { description: 'Address that it is sent from.' }),
    fromName: t.exposeString('fromName', { description: 'Display name of the sender.' }),
    to: t.stringList({
      description: 'Addresses in To.',
      resolve: (delivery) => addressesOf(delivery, 'TO'),
    }),
    cc: t.stringList({
      description: 'Addresses in Cc.',
      resolve: (delivery) => addressesOf(delivery, 'CC'),
    }),
    bcc: t.stringList({
      description: 'Addresses of blind copies. They are in no header of the mail.',
      resolve: (delivery) => addressesOf(delivery, 'BCC'),
    }),
    subject: t.exposeString('subject', { description: 'Its subject: `Re: Printer [INC-000047]`.' }),
    rfcMessageId: t.exposeString('rfcMessageId', {
      description: 'Its Message-ID header, the same in every copy that is ever sent: `<…@domain.com>`.',
    }),
    recipients: t.field({
      type: [RecipientRef],
      description: 'All recipients, To first.',
      resolve: ({ recipients }) => [...recipients],
    }),
    attempts: t.field({
      type: [AttemptRef],
      description: 'All attempts so far, oldest first.',
      resolve: async ({ id }, _args, ctx) => [...(await ctx.load.attemptsOf.load(id))],
    }),
    dueAt: t.expose('dueAt', { type: 'DateTime', description: 'It is not sent before this instant.' }),
    settledAt: t.expose('settledAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the delivery was settled. Null until then.',
    }),
    failure: t.string({
      nullable: true,
      description: 'Who did not get the mail, and why it failed or is waiting, in plain words.',
      resolve: (delivery) => explain(delivery)?.reason ?? null,
    }),
    suggestedAction: t.field({
      type: SuggestedActionEnum,
      nullable: true,
      description: 'What may help; null when nothing is wrong, or nothing is to be done.',
      resolve: (delivery) => explain(delivery)?.suggestedAction ?? null,
    }),
    smtpReply: t.string({
      nullable: true,
      description: "The server's reply about the first recipient that `failure` names.",
      resolve: (delivery) => explain(delivery)?.smtpReply ?? null,
    }),
    sourceUrl: t.string({
      description:
        'URL of the mail as it was sent, without blind copies. GET it with the same credential. 404 ' +
        'until it is sent.',
      resolve: ({ id }, _args, { origin }) =>
        `${origin}/deliveries/${encodeURIComponent(encodeGlobalId('Delivery', id))}/source`,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was requested.' }),
  }),
});

const FilterInput = builder.inputType('DeliveryFilter', {
  description:
    'Selects deliveries that meet all conditions. Example: `{ state: FAILED, ticket: "VGlja2V0OjQ3" }`.',
  fields: (t) => ({
    state: t.field({
      type: DeliveryStateEnum,
      description: 'Only deliveries in this state: `OUTCOME_UNKNOWN`.',
    }),
    hasFailedRecipient: t.boolean({
      description:
        '`true`: at least one recipient failed, whatever the state of the others. `false`: none did.',
    }),
    ticket: t.id({ description: 'Global id of a ticket: only its deliveries.' }),
  }),
});

interface GivenFilter {
  state?: DeliveryState | null | undefined;
  hasFailedRecipient?: boolean | null | undefined;
  ticket?: string | null | undefined;
}
/** A ticket that is not there finds nothing, like a ticket without mails. 0: no ticket's id. */
const filterOf = ({ state, hasFailedRecipient, ticket }: GivenFilter = {}): DeliveryFilter => ({
  states: state == null ? null : [state],
  hasFailedRecipient,
  ticketId: ticket == null ? null : (decodeGlobalId('Ticket', ticket) ?? 0),
});

const DeliveryConnection = builder.connectionObject(
  {
    type: DeliveryRef,
    name: 'DeliveryConnection',
    description: 'One page of deliveries.',
    fields: (t) => ({
      totalCount: t.int(totalCount(costOfCounting)),
      totalCountIsExact: t.boolean(totalCountIsExact(costOfCounting)),
    }),
  },
  { name: 'DeliveryEdge', description: 'A delivery and its place in the list.' },
);

builder.queryField('deliveries', (t) =>
  t.connection(
    {
      type: DeliveryRef,
      nullable: true,
      description: "The desk's mails and their states, oldest first. For operators with the scope READ.",
      args: { filter: t.arg({ type: FilterInput, description: 'Conditions; all when absent.' }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...paging }, ctx) => {
        const wanted = filterOf(filter ?? {});
        return connectionOf(await listDeliveries(ctx, wanted, paging), () => countDeliveries(ctx, wanted));
      },
    },
    DeliveryConnection,
  ),
);
