import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { addTicketMessage } from '../../tickets/add-message/command.ts';
import type { Added, Warning } from '../../tickets/add-message/result.ts';
import { requireViewer } from '../../tickets/permissions.ts';
import { encodeCursor, eventCursor, messagesOf } from '../../tickets/read/cursor.ts';
import { resolveSelector, type TicketSelector } from '../../tickets/ticket-selector.ts';
import type { GraphContext } from '../context/context.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { WarningCodeEnum } from './enums.ts';
import { MessageEdge } from './message.ts';
import { AddTicketMessageInput } from './message-input.ts';
import { MessageRef, TicketRef } from './object-refs.ts';
import { resultUnion, writeOrRefusal } from './result-union.ts';

/**
 * The type `Warning` of a command's payload or a preview. This file also defines the mutation
 * `addTicketMessage`.
 */
export const WarningRef = builder.objectRef<Warning>('Warning').implement({
  description: 'The command was carried out, but the result may differ from what was expected.',
  fields: (t) => ({
    code: t.expose('code', { type: WarningCodeEnum, description: 'Kind of warning.' }),
    message: t.exposeString('message', { description: 'What `code` means here, in English, for people.' }),
  }),
});

const PayloadRef = builder.objectRef<Added>('AddTicketMessagePayload').implement({
  description: 'The message was added, and all of it is stored.',
  fields: (t) => ({
    // Not `message`: refusals have a text of that name, and a document may not select two shapes under one
    // name.
    ticketMessage: t.field({
      type: MessageRef,
      description: 'The message.',
      resolve: ({ message }) => message,
    }),
    ticketMessageEdge: t.field({
      type: MessageEdge,
      description: 'The message with its cursor, for clients that append it to `Ticket.messages`.',
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
      description: 'Its e-mail. Null when none was requested.',
      resolve: ({ delivery }) => delivery,
    }),
    replayed: t.exposeBoolean('replayed', {
      description:
        'True: an earlier call with the same idempotency key added it, and this call changed nothing.',
    }),
    warnings: t.field({
      type: [WarningRef],
      description: 'Ways in which the result may differ from what was expected.',
      resolve: ({ warnings }) => [...warnings],
    }),
    cursor: t.string({
      description: "Cursor of this message's event, for `ticketEvents(after:)`.",
      resolve: ({ ticket, cursor }, _args, ctx) => eventCursor(requireViewer(ctx), ticket.id, cursor),
    }),
  }),
});

const ResultUnion = resultUnion(
  'AddTicketMessageResult',
  'addTicketMessage',
  PayloadRef,
  'The added message, or the refusal.',
);

/** Number of mutations in the document. */
function countFields({ selections }: SelectionSetNode, info: GraphQLResolveInfo): number {
  return selections.reduce((count, selection) => {
    if (selection.kind === 'Field') return count + (selection.name.value === '__typename' ? 0 : 1);
    const { selectionSet } =
      selection.kind === 'InlineFragment' ? selection : info.fragments[selection.name.value]!;
    return count + countFields(selectionSet, info);
  }, 0);
}

/** A ticket's own rate limit. A refused or repeated call is not counted, because it notifies nobody. */
function roomOf({ viewer, services }: GraphContext, selector: TicketSelector) {
  if (viewer === undefined) return undefined;
  const { tickets, assertRoom, count } = services.rateLimits;
  const named = resolveSelector(selector);
  return {
    async assertRoom() {
      const key = tickets.keyOf(viewer, named);
      if (key !== undefined) await assertRoom('ticket', key);
    },
    async wrote({ ticket, replayed }: Added) {
      tickets.learn(named.reference, ticket.id);
      if (replayed) return;
      const key = tickets.keyOf(viewer, { ticketId: ticket.id, reference: null })!;
      // The message is stored already. If it was one too many, the next one is refused.
      await count('ticket', key).catch(() => {});
    },
  };
}

builder.mutationField('addTicketMessage', (t) =>
  t.field({
    type: ResultUnion,
    description:
      'Adds a comment, a private note or an e-mail reply to a ticket. It is stored, and mailed if ' +
      'requested, exactly once or not at all. Needs the scope WRITE.',
    args: {
      input: t.arg({ type: AddTicketMessageInput, required: true, description: 'The message.' }),
    },
    resolve: async (_root, { input }, ctx, info) => {
      // Only a key in the header is about all mutations of the document.
      const commands = ctx.idempotencyKey === undefined ? 1 : countFields(info.operation.selectionSet, info);
      const result = await writeOrRefusal(
        ctx,
        () => addTicketMessage(ctx, input, commands),
        roomOf(ctx, input.ticket),
      );
      if ('message' in result && 'ticket' in result) ctx.load.know(result);
      return result;
    },
  }),
);
