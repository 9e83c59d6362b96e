import type { GraphQLResolveInfo, SelectionSetNode } from 'graphql';
import { addTicketMessage } from '../tickets/add-message.ts';
import type { Added, Warning } from '../tickets/added.ts';
import { encodeCursor, eventCursor, messagesOf } from '../tickets/cursor.ts';
import { requireViewer } from '../tickets/policy.ts';
import { invalidInput } from '../tickets/refusals.ts';
import { builder } from './builder.ts';
import type { GraphContext } from './context.ts';
import { DeliveryRef } from './delivery.ts';
import { WarningCodeEnum } from './enums.ts';
import { MessageEdge, MessageRef } from './message.ts';
import { AddTicketMessageInput } from './message-input.ts';
import { orRefusal, resultUnion } from './refusal.ts';
import { TicketRef } from './ticket-ref.ts';

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
    // Not `message`: that is a text in every refusal, and a document may not select two shapes under one
    // name.
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

/**
 * A request's header is one key for one command: of two in a document, the second would be taken for a
 * repetition of the first.
 */
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
      'Adds a comment, a private note or an e-mail reply to a ticket: stored, and mailed if asked, once ' +
      'or not at all. Needs the scope WRITE.',
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
