import { emailDefaults } from '../../tickets/add-message/email-input.ts';
import { messageDefaults } from '../../tickets/add-message/input.ts';
import { builder } from './builder.ts';
import { CancelReasonEnum, MessageFormatEnum, QuoteEnum, VisibilityEnum } from './enums.ts';
import { TicketSelectorInput } from './ticket.ts';

const InlineAttachmentInput = builder.inputType('InlineAttachmentInput', {
  description:
    'A picture that the HTML names by an id of its own: exactly one of `file` and `upload`. Example: `{ ' +
    'contentId: "logo", upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
  fields: (t) => ({
    contentId: t.string({
      required: true,
      description:
        'What stands after `cid:` in the HTML: `"logo"`. 1 to 200 visible ASCII characters, no angle ' +
        'brackets.',
    }),
    file: t.field({
      type: 'Upload',
      description: 'A file of this request: null in the JSON, and mapped to a part of the form.',
    }),
    upload: t.id({
      description: 'What `uploadFile` answered, for whoever uploaded it: `"VXBsb2FkOjBmMWUyZDNj"`.',
    }),
  }),
});

const AttachmentInput = builder.inputType('AttachmentInput', {
  description:
    'A file of the message: of this request, uploaded before, or either of them with a Content-ID. A ' +
    'picture that the HTML shows by `cid:` and its name, or its Content-ID, is part of the text; of ' +
    'several pictures with one name, the first `cid:` of that name shows the first, the second the ' +
    'second, further ones the last. Example: `{ upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
  isOneOf: true,
  fields: (t) => ({
    file: t.field({
      type: 'Upload',
      description: 'A file of this request: null in the JSON, and mapped to a part of the form.',
    }),
    upload: t.id({
      description: 'What `uploadFile` answered, for whoever uploaded it: `"VXBsb2FkOjBmMWUyZDNj"`.',
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
      description: 'Blind copies: in no header of the mail, and shown to operators only.',
    }),
    holdSeconds: t.int({
      description:
        'Wait so long before sending, up to 2592000 (30 days): `60` leaves a minute to cancel. The ' +
        'message is visible at once.',
    }),
    sendAt: t.field({
      type: 'DateTime',
      description:
        'Send no earlier, up to a year ahead: `"2026-12-24T18:00:00+01:00"`. Not together with ' +
        '`holdSeconds`.',
    }),
    cancelIf: t.field({
      type: [CancelReasonEnum],
      defaultValue: [...emailDefaults.cancelIf],
      description:
        'Send nothing when somebody has answered by then: `[REQUESTER_REPLIED]`. Each at most once.',
    }),
    quote: t.field({
      type: QuoteEnum,
      defaultValue: emailDefaults.quote,
      description:
        'Which earlier public messages to repeat below: `LAST`. Any but `NONE` needs the scope READ.',
    }),
    autoSubmitted: t.boolean({
      defaultValue: emailDefaults.autoSubmitted,
      description:
        'No person wrote it: the mail has Auto-Submitted (RFC 3834), and answering machines keep quiet.',
    }),
  }),
});

export const AddTicketMessageInput = builder.inputType('AddTicketMessageInput', {
  description:
    'A message and where it goes; a field that is null has its default. Example: `{ ticket: { reference: ' +
    '"INC-000047" }, body: "Can I meet you this afternoon?" }`.',
  fields: (t) => ({
    ticket: t.field({
      type: TicketSelectorInput,
      required: true,
      description: 'Which ticket: `{ reference: "INC-000047" }`.',
    }),
    body: t.string({
      required: true,
      description:
        'What it says, kept as written. Not blank, and no larger than the gateway allows (MAX_BODY_BYTES).',
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
      description: 'Sent from a phone or a tablet.',
    }),
    language: t.string({
      description:
        'What it is written in, a BCP 47 tag: `"de-CH"`. Kept in its canonical form, and the `Content-Language` of ' +
        'its e-mail.',
    }),
    attachments: t.field({
      type: [AttachmentInput],
      defaultValue: [...messageDefaults.attachments],
      description: 'At most 20 files: `[{ upload: "VXBsb2FkOjBmMWUyZDNj" }]`.',
    }),
    email: t.field({
      type: EmailReplyInput,
      description: 'Also send it as an e-mail: `{ from: "company@domain.com" }`. Absent: none is sent.',
    }),
    idempotencyKey: t.string({
      description:
        'A text of your own making, 1 to 255 visible ASCII characters: the same call with the same key ' +
        'is done once, and answered as the first time. Kept 30 days. The header `Idempotency-Key` does ' +
        'the same. Example: `"8e03978e-40d5-43e8-bc93-6894a57f9324"`.',
    }),
    expectPreviewHash: t.string({
      description:
        '`previewHash` of a preview: exactly that mail is sent, or the command is refused with ' +
        'PREVIEW_STALE.',
    }),
    ifLastMessage: t.id({
      description:
        'Global id of the last message that you have seen: refused with TICKET_CHANGED when there are ' +
        'later ones. Needs the scope READ. Example: `"VGlja2V0TWVzc2FnZTox"`.',
    }),
  }),
});
