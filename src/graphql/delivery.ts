import { encodeGlobalId } from '../global-id.ts';
import { type Attempt, type Delivery, explain, explainRecipient, type Recipient } from '../tickets/ledger.ts';
import type { RecipientKind } from '../vocabulary.ts';
import { builder } from './builder.ts';
import {
  AttemptPhaseEnum,
  DeliveryStateEnum,
  RecipientKindEnum,
  RecipientStateEnum,
  SuggestedActionEnum,
} from './enums.ts';

export const DeliveryRef = builder.objectRef<Delivery>('Delivery');

const RecipientRef = builder.objectRef<Recipient>('DeliveryRecipient').implement({
  fields: (t) => ({
    kind: t.expose('kind', { type: RecipientKindEnum }),
    address: t.exposeString('address'),
    name: t.exposeString('name'),
    state: t.expose('state', { type: RecipientStateEnum }),
    smtpReply: t.exposeString('smtpReply', {
      nullable: true,
      description: "The server's last words on this recipient.",
    }),
    enhancedCode: t.exposeString('enhancedCode', { nullable: true, description: 'RFC 3463: 5.1.1.' }),
    failure: t.string({
      nullable: true,
      description: 'Why they do not have the mail, or may not have it, in plain words.',
      resolve: (recipient) => explainRecipient(recipient)?.reason ?? null,
    }),
    suggestedAction: t.field({
      type: SuggestedActionEnum,
      nullable: true,
      description: 'What may help.',
      resolve: (recipient) => explainRecipient(recipient)?.suggestedAction ?? null,
    }),
  }),
});

const AttemptRef = builder.objectRef<Attempt>('DeliveryAttempt').implement({
  fields: (t) => ({
    number: t.exposeInt('number'),
    phase: t.expose('phase', { type: AttemptPhaseEnum }),
    startedAt: t.expose('startedAt', { type: 'DateTime' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true }),
    outcome: t.expose('outcome', { type: DeliveryStateEnum, nullable: true }),
    reply: t.exposeString('reply', { nullable: true }),
  }),
});

const addressesOf = ({ recipients }: Delivery, kind: RecipientKind): string[] =>
  recipients.filter((recipient) => recipient.kind === kind).map(({ address }) => address);

builder.node(DeliveryRef, {
  description: 'The sending of one message as one e-mail. Operators alone may see it.',
  id: { resolve: ({ id }) => id },
  loadMany: (ids: string[], ctx) => Promise.all(ids.map((id) => ctx.load.delivery.load(Number(id)))),
  fields: (t) => ({
    state: t.expose('state', { type: DeliveryStateEnum }),
    from: t.exposeString('fromAddress'),
    fromName: t.exposeString('fromName'),
    to: t.stringList({ resolve: (delivery) => addressesOf(delivery, 'TO') }),
    cc: t.stringList({ resolve: (delivery) => addressesOf(delivery, 'CC') }),
    bcc: t.stringList({
      description: 'In no header of the mail.',
      resolve: (delivery) => addressesOf(delivery, 'BCC'),
    }),
    subject: t.exposeString('subject'),
    rfcMessageId: t.exposeString('rfcMessageId', {
      description: 'The Message-ID header: the same in every copy ever sent.',
    }),
    recipients: t.field({ type: [RecipientRef], resolve: ({ recipients }) => [...recipients] }),
    attempts: t.field({
      type: [AttemptRef],
      resolve: async ({ id }, _args, ctx) => [...(await ctx.load.attemptsOf.load(id))],
    }),
    dueAt: t.expose('dueAt', { type: 'DateTime', description: 'Not sent before.' }),
    settledAt: t.expose('settledAt', { type: 'DateTime', nullable: true }),
    failure: t.string({
      nullable: true,
      description: 'Who did not get the mail, and why it failed or waits, in plain words.',
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
      description: "The server's own words on the first recipient that failure names.",
      resolve: (delivery) => explain(delivery)?.smtpReply ?? null,
    }),
    sourceUrl: t.string({
      description:
        'GET it with the same credential: the mail as it was sent, without blind copies; not found before that.',
      resolve: ({ id }, _args, { origin }) =>
        `${origin}/deliveries/${encodeURIComponent(encodeGlobalId('Delivery', id))}/source`,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});
