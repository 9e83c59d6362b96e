import { emailDefaults } from '../../tickets/add-message/email-input.ts';
import { messageDefaults } from '../../tickets/add-message/input.ts';
import { builder, type SchemaTypes } from './builder.ts';
import { CancelReasonEnum, MessageFormatEnum, QuoteEnum, VisibilityEnum } from './enums.ts';
import { TicketSelectorInput } from './ticket.ts';

const InlineAttachmentInput = builder.inputType('InlineAttachmentInput', {
  description:
    'A picture that the HTML references by Content-ID: exactly one of `file` and `upload`. Example: `{ ' +
    'contentId: "logo", upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
  fields: (t) => ({
    contentId: t.string({
      required: true,
      description:
        'The id after `cid:` in the HTML: `"logo"`. 1 to 200 visible ASCII characters, no angle ' +
        'brackets.',
    }),
    file: t.field({
      type: 'Upload',
      description: 'A file sent with this request: null in the JSON, and `map` names its part of the form.',
    }),
    upload: t.id({
      description: 'The `upload` that `uploadFile` returned to the same user: `"VXBsb2FkOjBmMWUyZDNj"`.',
    }),
  }),
});

const AttachmentInput = builder.inputType('AttachmentInput', {
  description:
    'A file of the message: sent with this request, or uploaded before. Either may have a ' +
    'Content-ID. A picture that the HTML references by `cid:` and its name, or its ' +
    'Content-ID, is shown in the text. If several pictures have one name, the first `cid:` of that ' +
    'name shows the first, the second shows the second, and further ones show the last. Example: `{ ' +
    'upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
  isOneOf: true,
  fields: (t) => ({
    file: t.field({
      type: 'Upload',
      description: 'A file sent with this request: null in the JSON, and `map` names its part of the form.',
    }),
    upload: t.id({
      description: 'The `upload` that `uploadFile` returned to the same user: `"VXBsb2FkOjBmMWUyZDNj"`.',
    }),
    inline: t.field({
      type: InlineAttachmentInput,
      description: 'A picture with a Content-ID: `{ contentId: "logo", upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
    }),
  }),
});

const EmailReplyInput = builder.inputType('EmailReplyInput', {
  description:
    "Sends the message to the ticket's requester as an e-mail. Needs the scope MAIL. Example: `{ from: " +
    '"company@domain.com", cc: ["jane.doe@domain.com"] }`.',
  fields: (t) => ({
    from: t.string({
      required: true,
      description: 'Address of one of the viewer\'s mailboxes: `"company@domain.com"`.',
    }),
    cc: t.stringList({
      defaultValue: [...emailDefaults.cc],
      description: 'One address each: `["jane.doe@domain.com"]`. At most 50 together with `bcc`.',
    }),
    bcc: t.stringList({
      defaultValue: [...emailDefaults.bcc],
      description: 'Blind copies. They are in no header of the mail and visible to operators only.',
    }),
    holdSeconds: t.int({
      description:
        'Seconds to wait before sending, up to 2592000 (30 days): `60` leaves a minute to cancel. The ' +
        'message is visible immediately.',
    }),
    sendAt: t.field({
      type: 'DateTime',
      description:
        'Do not send before this instant, up to a year ahead: `"2026-12-24T18:00:00+01:00"`. Not ' +
        'together with `holdSeconds`.',
    }),
    cancelIf: t.field({
      type: [CancelReasonEnum],
      defaultValue: [...emailDefaults.cancelIf],
      description:
        'Cancel the mail if somebody has answered before it is due: `[REQUESTER_REPLIED]`. Each value ' +
        'at most once.',
    }),
    quote: t.field({
      type: QuoteEnum,
      defaultValue: emailDefaults.quote,
      description:
        'Earlier public messages to quote below: `LAST`. Values other than `NONE` need the scope READ.',
    }),
    autoSubmitted: t.boolean({
      defaultValue: emailDefaults.autoSubmitted,
      description:
        'Whether the mail was written by a program. If so, it gets the header Auto-Submitted (RFC ' +
        '3834), so that auto-responders do not reply.',
    }),
  }),
});

type InputFields = PothosSchemaTypes.InputFieldBuilder<
  PothosSchemaTypes.ExtendDefaultTypes<SchemaTypes>,
  'InputObject'
>;

/** Conditions of a command: its key is new, its mail equals a preview, no later message was added. */
const conditionFields = (t: InputFields) => ({
  idempotencyKey: t.string({
    description:
      'A unique string that you choose, 1 to 255 visible ASCII characters. A call repeated with the ' +
      'same key is carried out once and gets the first result. Keys are stored for 30 days. The ' +
      'header `Idempotency-Key` does the same. Example: `"8e03978e-40d5-43e8-bc93-6894a57f9324"`.',
  }),
  expectPreviewHash: t.string({
    description:
      '`previewHash` of a preview. Exactly that mail is sent, or the command is refused with ' +
      'PREVIEW_STALE.',
  }),
  ifLastMessage: t.id({
    description:
      'Global id of the last message that you have seen. The command is refused with TICKET_CHANGED ' +
      'when there are later ones. Needs the scope READ. Example: `"VGlja2V0TWVzc2FnZTox"`.',
  }),
});

/**
 * The input `AddTicketMessageInput` of `addTicketMessage` and `previewTicketMessage`. Its value is assignable
 * to the domain command's input, which is validated there.
 */
export const AddTicketMessageInput = builder.inputType('AddTicketMessageInput', {
  description:
    'A message and its ticket. A field that is null has its default. Example: `{ ticket: { reference: ' +
    '"INC-000047" }, body: "Can I meet you this afternoon?" }`.',
  fields: (t) => ({
    ticket: t.field({
      type: TicketSelectorInput,
      required: true,
      description: 'Which ticket: `{ reference: "INC-000047" }`.',
    }),
    body: t.string({
      required: true,
      description: 'The text, stored unchanged. Not blank, and at most MAX_BODY_BYTES (a setting) long.',
    }),
    format: t.field({
      type: MessageFormatEnum,
      defaultValue: messageDefaults.format,
      description: 'How `body` is written: `HTML`.',
    }),
    visibility: t.field({
      type: VisibilityEnum,
      defaultValue: messageDefaults.visibility,
      description: 'Who may see it: `PRIVATE` for a note among operators.',
    }),
    isMobileDevice: t.boolean({
      defaultValue: messageDefaults.isMobileDevice,
      description: 'Whether it was sent from a phone or a tablet.',
    }),
    language: t.string({
      description:
        'Language of the message, a BCP 47 tag: `"de-CH"`. Stored in canonical form, and sent as the ' +
        '`Content-Language` of its e-mail.',
    }),
    attachments: t.field({
      type: [AttachmentInput],
      defaultValue: [...messageDefaults.attachments],
      description: 'At most 20 files: `[{ upload: "VXBsb2FkOjBmMWUyZDNj" }]`.',
    }),
    email: t.field({
      type: EmailReplyInput,
      description:
        'Sends it as an e-mail as well: `{ from: "company@domain.com" }`. Absent: no e-mail is sent.',
    }),
    reopen: t.boolean({
      defaultValue: messageDefaults.reopen,
      description:
        'For operators: reopen a closed ticket. TICKET_REOPENED precedes the event of the message.',
    }),
    ...conditionFields(t),
  }),
});
