import { type MessagePreview, previewTicketMessage } from '../tickets/preview-message.ts';
import { AddTicketMessageInput, WarningRef } from './add-message.ts';
import { builder } from './builder.ts';
import { orRefusal, refusalTypes, typeOfResult } from './refusal.ts';

const PreviewRef = builder.objectRef<MessagePreview>('TicketMessagePreview').implement({
  description: 'The mail that a message would become.',
  fields: (t) => ({
    envelopeFrom: t.string({ resolve: ({ envelope }) => envelope.from }),
    envelopeTo: t.stringList({
      description: 'Everybody who gets a copy, blind ones included.',
      resolve: ({ envelope }) => [...envelope.to],
    }),
    subject: t.exposeString('subject'),
    text: t.exposeString('text', { description: 'The text part, signature and quotations included.' }),
    html: t.exposeString('html', { description: 'The HTML part; safe to show.' }),
    byteSize: t.exposeInt('byteSize', { description: 'As encoded.' }),
    limitBytes: t.exposeInt('limitBytes', { description: "The mailbox's limit." }),
    warnings: t.field({ type: [WarningRef], resolve: ({ warnings }) => [...warnings] }),
    previewHash: t.exposeString('previewHash', {
      description: 'For AddTicketMessageInput.expectPreviewHash.',
    }),
  }),
});

const ResultUnion = builder.unionType('PreviewTicketMessageResult', {
  types: [
    PreviewRef,
    ...refusalTypes(
      'UNAUTHENTICATED',
      'TICKET_NOT_FOUND',
      'FORBIDDEN',
      'INVALID_INPUT',
      'PRIVATE_WITH_EMAIL',
      'MAILBOX_NOT_FOUND',
      'MAILBOX_NOT_READY',
      'RECIPIENT_MISSING',
      'ATTACHMENT_TOO_LARGE',
    ),
  ],
  resolveType: typeOfResult('TicketMessagePreview'),
});

builder.queryField('previewTicketMessage', (t) =>
  t.field({
    type: ResultUnion,
    description:
      'Composes the mail of a message as it would be sent now; nothing is stored and nothing is sent.',
    args: { input: t.arg({ type: AddTicketMessageInput, required: true }) },
    resolve: (_root, { input }, ctx) => orRefusal(previewTicketMessage(ctx, input)),
  }),
);
