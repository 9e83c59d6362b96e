import { decodeGlobalId } from '../../platform/global-id.ts';
import { requireViewer } from '../../tickets/policy.ts';
import { type Attachment, loadAttachments } from '../../tickets/read/attachments.ts';
import { loadMessages, type Message } from '../../tickets/read/messages.ts';
import { redactAttachment } from '../../tickets/redact/attachment.ts';
import { redactMessage } from '../../tickets/redact/message.ts';
import type { GraphContext } from '../context/context.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { MessageRef } from './refs.ts';
import { resultUnion, writeResult } from './refusal.ts';

const reason = {
  description:
    'Why, but not what: it stays in the audit trail. At most 1000 characters: `"a pasted password"`.',
};
const already = { description: 'It was redacted before; nothing was changed this time.' };

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
        'What is left of it. Its delivery tells whether its mail was still held back. Without the scope ' +
        'READ, whoever wrote it and its mail are not shown.',
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
      description: 'What is left of it.',
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
  'What `redactMessage` answers: done, or why not.',
);
const AttachmentResult = resultUnion(
  'RedactAttachmentResult',
  'redactAttachment',
  AttachmentPayloadRef,
  'What `redactAttachment` answers: done, or why not.',
);

/** As they are now; whoever looks them up again in this request finds the same. */
async function messageNow(ctx: GraphContext, id: number): Promise<Message> {
  const message = (await loadMessages(ctx, [id], 0)).get(id)!;
  ctx.load.message.clear(id).prime(id, message);
  return message;
}
async function attachmentNow(ctx: GraphContext, id: number): Promise<Attachment> {
  const attachment = (await loadAttachments(ctx, [id])).get(id)!;
  ctx.load.attachment.clear(id).prime(id, attachment);
  return attachment;
}

builder.mutationFields((t) => ({
  redactMessage: t.field({
    type: MessageResult,
    description:
      'Empties a message and its files for good; its place stays. A mail of it that has not begun to go ' +
      'out is cancelled; one that was sent cannot be called back. For operators with the scope ADMIN.',
    args: { input: t.arg({ type: RedactMessageInput, required: true, description: 'Which message.' }) },
    resolve: (_root, { input }, ctx) => {
      const messageId = decodeGlobalId('TicketMessage', input.message) ?? 0;
      return writeResult(ctx, () =>
        redactMessage(ctx, { messageId, reason: input.reason }).then(async ({ alreadyRedacted }) => ({
          message: await messageNow(ctx, messageId),
          alreadyRedacted,
        })),
      );
    },
  }),
  redactAttachment: t.field({
    type: AttachmentResult,
    description:
      'Removes one file of a message for good; its place and size stay. A mail of it that has not begun ' +
      'to go out is cancelled. For operators with the scope ADMIN.',
    args: { input: t.arg({ type: RedactAttachmentInput, required: true, description: 'Which file.' }) },
    resolve: (_root, { input }, ctx) => {
      const attachmentId = decodeGlobalId('Attachment', input.attachment) ?? 0;
      return writeResult(ctx, () =>
        redactAttachment(ctx, { attachmentId, reason: input.reason }).then(async (done) => ({
          attachment: await attachmentNow(ctx, attachmentId),
          message: await messageNow(ctx, done.messageId),
          alreadyRedacted: done.alreadyRedacted,
        })),
      );
    },
  }),
}));
