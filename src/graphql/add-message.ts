import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { addTicketMessage } from '../tickets/add-message.ts';
import type { Added, Warning } from '../tickets/added.ts';
import { invalidInput } from '../tickets/refusals.ts';
import { builder } from './builder.ts';
import type { GraphContext } from './context.ts';
import { DeliveryRef } from './delivery.ts';
import { CancelReasonEnum, MessageFormatEnum, QuoteEnum, VisibilityEnum } from './enums.ts';
import { MessageRef } from './message.ts';
import { orRefusal, refusalTypes, typeOfResult } from './refusal.ts';
import { TicketRef, TicketSelectorInput } from './ticket.ts';

const InlineAttachmentInput = builder.inputType('InlineAttachmentInput', {
  description: 'A picture that the HTML names by an id of its own: exactly one of file and upload.',
  fields: (t) => ({
    contentId: t.string({
      required: true,
      description:
        'What stands after cid: in the HTML: 1 to 200 visible ASCII characters, no angle brackets.',
    }),
    file: t.field({ type: 'Upload' }),
    upload: t.id({ description: 'The id of an Upload; its uploader alone may use it.' }),
  }),
});

const AttachmentInput = builder.inputType('AttachmentInput', {
  description:
    'Exactly one: a file of this request, an earlier upload, or either of them with a Content-ID. A picture that the HTML shows by cid: and its name, or its Content-ID, is part of the text; of several pictures with one name, the first cid: of that name shows the first, the second the second, further ones the last.',
  isOneOf: true,
  fields: (t) => ({
    file: t.field({ type: 'Upload' }),
    upload: t.id({ description: 'The id of an Upload; its uploader alone may use it.' }),
    inline: t.field({ type: InlineAttachmentInput }),
  }),
});

const EmailReplyInput = builder.inputType('EmailReplyInput', {
  description: "Send the message to the ticket's requester as an e-mail.",
  fields: (t) => ({
    from: t.string({ required: true, description: "Address of one of the desk's mailboxes." }),
    cc: t.stringList({ required: true, defaultValue: [] }),
    bcc: t.stringList({ required: true, defaultValue: [], description: 'At most 50 together with cc.' }),
    holdSeconds: t.int({
      description: 'Wait before sending, up to 30 days; the message is visible at once.',
    }),
    sendAt: t.field({
      type: 'DateTime',
      description: 'Send no earlier, up to a year ahead. Not with holdSeconds.',
    }),
    cancelIf: t.field({
      type: [CancelReasonEnum],
      required: true,
      defaultValue: [],
      description: 'Send nothing when somebody has answered by then.',
    }),
    quote: t.field({ type: QuoteEnum, required: true, defaultValue: 'NONE' }),
    autoSubmitted: t.boolean({
      required: true,
      defaultValue: false,
      description:
        'No person wrote it: the mail has Auto-Submitted (RFC 3834), and answering machines keep quiet.',
    }),
  }),
});

export const AddTicketMessageInput = builder.inputType('AddTicketMessageInput', {
  fields: (t) => ({
    ticket: t.field({ type: TicketSelectorInput, required: true }),
    body: t.string({ required: true, description: 'Not blank; kept as written.' }),
    format: t.field({ type: MessageFormatEnum, required: true, defaultValue: 'TEXT' }),
    visibility: t.field({ type: VisibilityEnum, required: true, defaultValue: 'PUBLIC' }),
    isMobileDevice: t.boolean({
      required: true,
      defaultValue: false,
      description: 'Sent from a phone or a tablet.',
    }),
    attachments: t.field({
      type: [AttachmentInput],
      required: true,
      defaultValue: [],
      description: 'At most 20.',
    }),
    email: t.field({ type: EmailReplyInput, description: 'Absent: no e-mail is sent.' }),
    idempotencyKey: t.string({
      description:
        'Of your own making: the same call with the same key is done once. Kept 30 days. Or the header Idempotency-Key.',
    }),
    expectPreviewHash: t.string({
      description:
        'From previewTicketMessage: exactly that mail is sent, or the command is refused with PREVIEW_STALE.',
    }),
    ifLastMessage: t.id({
      description:
        'The last message that you have seen: refused with TICKET_CHANGED when there are later ones.',
    }),
  }),
});

export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description: 'Done, but not quite as one might think.',
  fields: (t) => ({ code: t.exposeString('code'), message: t.exposeString('message') }),
});

const PayloadRef = builder.objectRef<Added>('AddTicketMessagePayload').implement({
  description: 'What was done; nobody needs a second call to know.',
  fields: (t) => ({
    // Not `message`: that is a text in every refusal, and a document may not select two shapes under one name.
    ticketMessage: t.field({ type: MessageRef, resolve: ({ message }) => message }),
    ticket: t.field({ type: TicketRef, resolve: ({ ticket }) => ticket }),
    delivery: t.field({ type: DeliveryRef, nullable: true, resolve: ({ delivery }) => delivery }),
    replayed: t.exposeBoolean('replayed', {
      description: 'An earlier call with the same idempotency key did it.',
    }),
    warnings: t.field({ type: [WarningRef], resolve: ({ warnings }) => [...warnings] }),
    cursor: t.string({
      description: "The ticket's event cursor after this message.",
      resolve: ({ cursor }) => String(cursor),
    }),
  }),
});

const ResultUnion = builder.unionType('AddTicketMessageResult', {
  types: [
    PayloadRef,
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
      'EMAIL_TOO_LARGE',
      'TICKET_CHANGED',
      'IDEMPOTENCY_KEY_REUSED',
      'PREVIEW_STALE',
    ),
  ],
  resolveType: typeOfResult('AddTicketMessagePayload'),
});

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
      'Adds a comment, a private note or an e-mail reply to a ticket: stored, and mailed if asked, once or not at all.',
    args: { input: t.arg({ type: AddTicketMessageInput, required: true }) },
    resolve: async (_root, { input }, ctx, info) => {
      const result = await orRefusal(
        namesOneCommand(ctx, info) ? addTicketMessage(ctx, input) : Promise.reject(ambiguousKey()),
      );
      if ('message' in result && 'ticket' in result) ctx.load.know(result);
      return result;
    },
  }),
);
