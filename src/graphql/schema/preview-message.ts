import { type MessagePreview, previewTicketMessage } from '../../tickets/add-message/preview-message.ts';
import { WarningRef } from './add-message.ts';
import { builder } from './builder.ts';
import { AddTicketMessageInput } from './message-input.ts';
import { orRefusal, resultUnion } from './result-union.ts';

const PreviewRef = builder.objectRef<MessagePreview>('TicketMessagePreview').implement({
  description: 'The mail that a message would become.',
  fields: (t) => ({
    envelopeFrom: t.string({
      description: 'Address that the mail is sent from.',
      resolve: ({ envelope }) => envelope.from,
    }),
    envelopeTo: t.stringList({
      description: 'Addresses of all recipients, blind copies included.',
      resolve: ({ envelope }) => [...envelope.to],
    }),
    subject: t.exposeString('subject', { description: 'Its subject: `Re: Printer [INC-000047]`.' }),
    text: t.exposeString('text', { description: 'Its text part, with signature and quotations.' }),
    html: t.exposeString('html', { description: 'Its HTML part; safe to show.' }),
    byteSize: t.exposeInt('byteSize', { description: 'Bytes of the mail as encoded for sending.' }),
    limitBytes: t.exposeInt('limitBytes', {
      description: 'Maximum size in bytes of a mail from this mailbox.',
    }),
    warnings: t.field({
      type: [WarningRef],
      description: 'Ways in which the result may differ from what was expected.',
      resolve: ({ warnings }) => [...warnings],
    }),
    previewHash: t.exposeString('previewHash', {
      description: 'Pass it as `AddTicketMessageInput.expectPreviewHash` to send exactly this mail or none.',
    }),
  }),
});

const ResultUnion = resultUnion(
  'PreviewTicketMessageResult',
  'previewTicketMessage',
  PreviewRef,
  'The mail, or the refusal that sending it would get.',
);

builder.queryField('previewTicketMessage', (t) =>
  t.field({
    type: ResultUnion,
    description:
      'Composes the mail of a message as it would be sent now. Nothing is stored or sent. Needs the ' +
      'scopes WRITE and MAIL.',
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
