import { decodeGlobalId } from '../global-id.ts';
import type { Attachment } from '../tickets/attachment.ts';
import type { Message } from '../tickets/message.ts';
import { redactAttachment, redactMessage } from '../tickets/redact.ts';
import { AttachmentRef } from './attachment.ts';
import { builder } from './builder.ts';
import { MessageRef } from './message.ts';
import { orRefusal, refusalTypes, typeOfResult } from './refusal.ts';

const reason = { description: 'For the audit trail, at most 1000 characters: why, but not what.' };
const already = { description: 'It was redacted before; nothing was changed this time.' };

const RedactMessageInput = builder.inputType('RedactMessageInput', {
  fields: (t) => ({ message: t.id({ required: true }), reason: t.string(reason) }),
});
const RedactAttachmentInput = builder.inputType('RedactAttachmentInput', {
  fields: (t) => ({ attachment: t.id({ required: true }), reason: t.string(reason) }),
});

interface RedactedMessage {
  readonly message: Message;
  readonly alreadyRedacted: boolean;
}
const MessagePayloadRef = builder.objectRef<RedactedMessage>('RedactMessagePayload').implement({
  fields: (t) => ({
    ticketMessage: t.field({
      type: MessageRef,
      description: 'What is left of it. Its delivery tells whether its mail was still held back.',
      resolve: ({ message }) => message,
    }),
    alreadyRedacted: t.exposeBoolean('alreadyRedacted', already),
  }),
});

interface RedactedAttachment {
  readonly attachment: Attachment;
  readonly message: Message;
  readonly alreadyRedacted: boolean;
}
const AttachmentPayloadRef = builder.objectRef<RedactedAttachment>('RedactAttachmentPayload').implement({
  fields: (t) => ({
    attachment: t.field({ type: AttachmentRef, resolve: ({ attachment }) => attachment }),
    ticketMessage: t.field({ type: MessageRef, resolve: ({ message }) => message }),
    alreadyRedacted: t.exposeBoolean('alreadyRedacted', already),
  }),
});

const MessageResult = builder.unionType('RedactMessageResult', {
  types: [
    MessagePayloadRef,
    ...refusalTypes('UNAUTHENTICATED', 'FORBIDDEN', 'INVALID_INPUT', 'MESSAGE_NOT_FOUND'),
  ],
  resolveType: typeOfResult('RedactMessagePayload'),
});
const AttachmentResult = builder.unionType('RedactAttachmentResult', {
  types: [
    AttachmentPayloadRef,
    ...refusalTypes('UNAUTHENTICATED', 'FORBIDDEN', 'INVALID_INPUT', 'ATTACHMENT_NOT_FOUND'),
  ],
  resolveType: typeOfResult('RedactAttachmentPayload'),
});

builder.mutationFields((t) => ({
  redactMessage: t.field({
    type: MessageResult,
    description:
      'Empties a message and its files for good; its place stays. For operators with the scope admin. A mail of it that has not begun to go out is cancelled; one that was sent cannot be called back.',
    args: { input: t.arg({ type: RedactMessageInput, required: true }) },
    resolve: (_root, { input }, ctx) => {
      const messageId = decodeGlobalId('TicketMessage', input.message) ?? 0;
      return orRefusal(
        redactMessage(ctx, { messageId, reason: input.reason }).then(async ({ alreadyRedacted }) => ({
          message: (await ctx.load.message.clear(messageId).load(messageId))!,
          alreadyRedacted,
        })),
      );
    },
  }),
  redactAttachment: t.field({
    type: AttachmentResult,
    description:
      'Removes one file of a message for good; its place and size stay. For operators with the scope admin. A mail of it that has not begun to go out is cancelled.',
    args: { input: t.arg({ type: RedactAttachmentInput, required: true }) },
    resolve: (_root, { input }, ctx) => {
      const attachmentId = decodeGlobalId('Attachment', input.attachment) ?? 0;
      return orRefusal(
        redactAttachment(ctx, { attachmentId, reason: input.reason }).then(async (done) => ({
          attachment: (await ctx.load.attachment.clear(attachmentId).load(attachmentId))!,
          message: (await ctx.load.message.clear(done.messageId).load(done.messageId))!,
          alreadyRedacted: done.alreadyRedacted,
        })),
      );
    },
  }),
}));
