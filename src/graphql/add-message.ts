import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { addTicketMessage } from '../tickets/add-message.ts';
import type { Added, Warning } from '../tickets/added.ts';
import { encodeCursor, eventCursor, messagesOf } from '../tickets/cursor.ts';
import { emailDefaults, messageDefaults } from '../tickets/input-defaults.ts';
import { requireViewer } from '../tickets/policy.ts';
import { invalidInput } from '../tickets/refusals.ts';
import { builder } from './builder.ts';
import type { GraphContext } from './context.ts';
import { DeliveryRef } from './delivery.ts';
import { CancelReasonEnum, MessageFormatEnum, QuoteEnum, VisibilityEnum, WarningCodeEnum } from './enums.ts';
import { MessageEdge, MessageRef } from './message.ts';
import { orRefusal, resultUnion } from './refusal.ts';
import { TicketRef, TicketSelectorInput } from './ticket.ts';

const InlineAttachmentInput = builder.inputType('InlineAttachmentInput', {
  description:
    'A picture that the HTML names by an id of its own: exactly one of `file` and `upload`. Example: `{ contentId: "logo", upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
  fields: (t) => ({
    contentId: t.string({
      required: true,
      description:
        'What stands after `cid:` in the HTML: `"logo"`. 1 to 200 visible ASCII characters, no angle brackets.',
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
    'A file of the message: of this request, uploaded before, or either of them with a Content-ID. A picture that the HTML shows by `cid:` and its name, or its Content-ID, is part of the text; of several pictures with one name, the first `cid:` of that name shows the first, the second the second, further ones the last. Example: `{ upload: "VXBsb2FkOjBmMWUyZDNj" }`.',
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
    'Sends the message to the ticket\'s requester as an e-mail. Needs the scope MAIL. Example: `{ from: "company@domain.com", cc: ["jane.doe@domain.com"] }`.',
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
        'Wait so long before sending, up to 2592000 (30 days): `60` leaves a minute to cancel. The message is visible at once.',
    }),
    sendAt: t.field({
      type: 'DateTime',
      description:
        'Send no earlier, up to a year ahead: `"2026-12-24T18:00:00+01:00"`. Not together with `holdSeconds`.',
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
    'A message and where it goes; a field that is null has its default. Example: `{ ticket: { reference: "INC-000047" }, body: "Can I meet you this afternoon?" }`.',
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
        'A text of your own making, 1 to 255 visible ASCII characters: the same call with the same key is done once, and answered as the first time. Kept 30 days. The header `Idempotency-Key` does the same. Example: `"8e03978e-40d5-43e8-bc93-6894a57f9324"`.',
    }),
    expectPreviewHash: t.string({
      description:
        '`previewHash` of a preview: exactly that mail is sent, or the command is refused with PREVIEW_STALE.',
    }),
    ifLastMessage: t.id({
      description:
        'Global id of the last message that you have seen: refused with TICKET_CHANGED when there are later ones. Needs the scope READ. Example: `"VGlja2V0TWVzc2FnZTox"`.',
    }),
  }),
});

export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description: 'Something was done, but not quite as one might think.',
  fields: (t) => ({
    code: t.expose('code', { type: WarningCodeEnum, description: 'What it is about.' }),
    message: t.exposeString('message', { description: 'The same in English, for people.' }),
  }),
});

const PayloadRef = builder.objectRef<Added>('AddTicketMessagePayload').implement({
  description: 'The message was added, and all of it is stored. Nobody needs a second call to know.',
  fields: (t) => ({
    // Not `message`: that is a text in every refusal, and a document may not select two shapes under one name.
    ticketMessage: t.field({
      type: MessageRef,
      description: 'The message.',
      resolve: ({ message }) => message,
    }),
    ticketMessageEdge: t.field({
      type: MessageEdge,
      description: 'The message with its cursor, for a client that appends it to `Ticket.messages`.',
      resolve: ({ message }) => ({
        node: message,
        cursor: encodeCursor(messagesOf(message.ticketId), message.id),
      }),
    }),
    ticket: t.field({
      type: TicketRef,
      nullable: true,
      description: 'Its ticket. Null, with an error FORBIDDEN, without the scope READ.',
      resolve: ({ ticket }, _args, ctx) => {
        requireViewer(ctx, 'read');
        return ticket;
      },
    }),
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'Its e-mail; null when none was asked for.',
      resolve: ({ delivery }) => delivery,
    }),
    replayed: t.exposeBoolean('replayed', {
      description: 'An earlier call with the same idempotency key did it; this call changed nothing.',
    }),
    warnings: t.field({
      type: [WarningRef],
      description: 'What is not quite as one might think.',
      resolve: ({ warnings }) => [...warnings],
    }),
    cursor: t.string({
      description: 'Cursor of the event that tells of this message, for `ticketEvents(after:)`.',
      resolve: ({ ticket, cursor }, _args, ctx) => eventCursor(requireViewer(ctx), ticket.id, cursor),
    }),
  }),
});

const ResultUnion = resultUnion(
  'AddTicketMessageResult',
  'addTicketMessage',
  PayloadRef,
  'What `addTicketMessage` answers: done, or why not.',
);

/** A request's header is one key for one command: of two in a document, the second would be taken for a repetition of the first. */
const namesOneCommand = ({ viewer, idempotencyKey }: GraphContext, info: GraphQLResolveInfo): boolean =>
  viewer === undefined ||
  idempotencyKey === undefined ||
  countFields(info.operation.selectionSet, info) === 1;

function countFields({ selections }: SelectionSetNode, info: GraphQLResolveInfo): number {
  return selections.reduce((count, selection) => {
    if (selection.kind === 'Field') return count + (selection.name.value === '__typename' ? 0 : 1);
    const { selectionSet } =
      selection.kind === 'InlineFragment' ? selection : info.fragments[selection.name.value]!;
    return count + countFields(selectionSet, info);
  }, 0);
}

const ambiguousKey = () =>
  invalidInput([
    {
      path: ['idempotencyKey'],
      message: 'The Idempotency-Key header is for a document with one mutation; give each its own field',
    },
  ]);

builder.mutationField('addTicketMessage', (t) =>
  t.field({
    type: ResultUnion,
    description:
      'Adds a comment, a private note or an e-mail reply to a ticket: stored, and mailed if asked, once or not at all. Needs the scope WRITE.',
    args: {
      input: t.arg({ type: AddTicketMessageInput, required: true, description: 'The message.' }),
    },
    resolve: async (_root, { input }, ctx, info) => {
      const result = await orRefusal(
        namesOneCommand(ctx, info) ? addTicketMessage(ctx, input) : Promise.reject(ambiguousKey()),
      );
      if ('message' in result && 'ticket' in result) ctx.load.know(result);
      return result;
    },
  }),
);
