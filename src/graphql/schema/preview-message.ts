import { type MessagePreview, previewTicketMessage } from '../../tickets/add-message/preview.ts';
import { WarningRef } from './add-message.ts';
import { builder } from './builder.ts';
import { AddTicketMessageInput } from './message-input.ts';
import { orRefusal, resultUnion } from './refusal.ts';

const PreviewRef = builder.objectRef<MessagePreview>('TicketMessagePreview').implement({
  description: 'The mail that a message would become.',
  fields: (t) => ({
    envelopeFrom: t.string({
      description: 'Address that the mail is sent from.',
      resolve: ({ envelope }) => envelope.from,
    }),
    envelopeTo: t.stringList({
      description: 'Addresses of everybody who gets a copy, blind ones included.',
      resolve: ({ envelope }) => [...envelope.to],
    }),
    subject: t.exposeString('subject', { description: 'Its subject: `Re: Printer [INC-000047]`.' }),
    text: t.exposeString('text', { description: 'Its text part, with signature and quotations.' }),
    html: t.exposeString('html', { description: 'Its HTML part; safe to show.' }),
    byteSize: t.exposeInt('byteSize', { description: 'Bytes of the mail as encoded for sending.' }),
    limitBytes: t.exposeInt('limitBytes', { description: 'Bytes that the mailbox can send at most.' }),
    warnings: t.field({
      type: [WarningRef],
      description: 'What is not quite as one might think.',
      resolve: ({ warnings }) => [...warnings],
    }),
    previewHash: t.exposeString('previewHash', {
      description: 'For `AddTicketMessageInput.expectPreviewHash`: exactly this mail is sent, or none.',
    }),
  }),
});

const ResultUnion = resultUnion(
  'PreviewTicketMessageResult',
  'previewTicketMessage',
  PreviewRef,
  'What `previewTicketMessage` answers: the mail, or why there would be none.',
);

builder.queryField('previewTicketMessage', (t) =>
  t.field({
    type: ResultUnion,
    description:
      'Composes the mail of a message as it would be sent now; nothing is stored and nothing is sent. ' +
      'Needs the scopes WRITE and MAIL.',
    args: {
      input: t.arg({
        type: AddTicketMessageInput,
        required: true,
        description: 'The message, with its `email`.',
      }),
    },
    resolve: (_root, { input }, ctx) =>
      orRefusal(ctx, () =>
        ctx.load.bodies.inTurn(
          () => previewTicketMessage(ctx, input),
          ({ text, html }) => text.length + html.length,
        ),
      ),
  }),
);
