import { decodeGlobalId } from '../../platform/global-id.ts';
import { requireViewer } from '../../tickets/permissions.ts';
import { type Attachment, loadAttachments } from '../../tickets/read/attachments.ts';
import { loadMessages, type Message } from '../../tickets/read/load-messages.ts';
import { redactAttachment } from '../../tickets/redact/redact-attachment.ts';
import { redactMessage } from '../../tickets/redact/redact-message.ts';
import type { GraphContext } from '../context/context.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { MessageRef } from './object-refs.ts';
import { resultUnion, writeOrRefusal } from './result-union.ts';

const reason = {
  description:
    'The reason, without the content: it remains in the audit trail. At most 1000 characters: `"a ' +
    'pasted password"`.',
};
const already = { description: 'True: it had been redacted before, and this call changed nothing.' };

const RedactMessageInput = builder.inputType('RedactMessageInput', {
  description: 'Which message. Example: `{ message: "VGlja2V0TWVzc2FnZTox", reason: "a pasted password" }`.',
  fields: (t) => ({
    message: t.id({ required: true, description: 'Global id of the message: `"VGlja2V0TWVzc2FnZTox"`.' }),
    reason: t.string(reason),
  }),
});
const RedactAttachmentInput = builder.inputType('RedactAttachmentInput', {
  description: 'Which file. Example: `{ attachment: "QXR0YWNobWVudDox", reason: "a medical report" }`.',
  fields: (t) => ({
    attachment: t.id({ required: true, description: 'Global id of the attachment: `"QXR0YWNobWVudDox"`.' }),
    reason: t.string(reason),
  }),
});

interface MessageRedaction {
  readonly message: Message;
  readonly alreadyRedacted: boolean;
}
const MessagePayloadRef = builder.objectRef<MessageRedaction>('RedactMessagePayload').implement({
  description: 'The message was redacted.',
  fields: (t) => ({
    ticketMessage: t.field({
      type: MessageRef,
      nullable: true,
      description:
        'The redacted message. Its delivery shows whether its mail was cancelled. Without the scope ' +
        'READ, its author and its mail are not shown.',
      resolve: ({ message }) => message,
    }),
    alreadyRedacted: t.exposeBoolean('alreadyRedacted', already),
  }),
});

interface AttachmentRedaction extends MessageRedaction {
  readonly attachment: Attachment;
}
const AttachmentPayloadRef = builder.objectRef<AttachmentRedaction>('RedactAttachmentPayload').implement({
  description: 'The file was redacted.',
  fields: (t) => ({
    attachment: t.field({
      type: AttachmentRef,
      description: 'The redacted attachment.',
      resolve: ({ attachment }) => attachment,
    }),
    ticketMessage: t.field({
      type: MessageRef,
      nullable: true,
      description: 'The message that had it. Null, with an error FORBIDDEN, without the scope READ.',
      resolve: ({ message }, _args, ctx) => {
        requireViewer(ctx, 'read');
        return message;
      },
    }),
    alreadyRedacted: t.exposeBoolean('alreadyRedacted', already),
  }),
});

const MessageResult = resultUnion(
  'RedactMessageResult',
  'redactMessage',
  MessagePayloadRef,
  'The redacted message, or the refusal.',
);
const AttachmentResult = resultUnion(
  'RedactAttachmentResult',
  'redactAttachment',
  AttachmentPayloadRef,
  'The redacted attachment, or the refusal.',
);

/** Loads the current rows, and primes the loaders with them for this request. */
async function messageNow(ctx: GraphContext, id: number): Promise<Message> {
  const message = (await loadMessages(ctx, [id], 0)).get(id)!;
  ctx.load.message.prime(id, message);
  return message;
}
async function attachmentNow(ctx: GraphContext, id: number): Promise<Attachment> {
  const attachment = (await loadAttachments(ctx, [id])).get(id)!;
  ctx.load.attachment.prime(id, attachment);
  return attachment;
}

builder.mutationFields((t) => ({
  redactMessage: t.field({
    type: MessageResult,
    description:
      'Deletes the text and files of a message for good. The empty message remains. Its mail is ' +
      'cancelled unless sending has begun; a sent mail cannot be recalled. For operators with the ' +
      'scope ADMIN.',
    args: { input: t.arg({ type: RedactMessageInput, required: true, description: 'Which message.' }) },
    resolve: async (_root, { input }, ctx) => {
      const messageId = decodeGlobalId('TicketMessage', input.message) ?? 0;
      const done = await writeOrRefusal(ctx, () => redactMessage(ctx, { messageId, reason: input.reason }));
      return 'code' in done ? done : { ...done, message: await messageNow(ctx, messageId) };
    },
  }),
  redactAttachment: t.field({
    type: AttachmentResult,
    description:
      'Deletes one file of a message for good. Its entry and size remain. A mail with it is cancelled ' +
      'unless sending has begun. For operators with the scope ADMIN.',
    args: { input: t.arg({ type: RedactAttachmentInput, required: true, description: 'Which file.' }) },
    resolve: async (_root, { input }, ctx) => {
      const attachmentId = decodeGlobalId('Attachment', input.attachment) ?? 0;
      const done = await writeOrRefusal(ctx, () =>
        redactAttachment(ctx, { attachmentId, reason: input.reason }),
      );
      if ('code' in done) return done;
      const attachment = await attachmentNow(ctx, attachmentId);
      return { ...done, attachment, message: await messageNow(ctx, done.messageId) };
    },
  }),
}));
