import { decodeGlobalId } from '../../platform/global-id.ts';
import { markSeen, type SeenTicket } from '../../tickets/seen-marks.ts';
import { builder } from './builder.ts';
import { TicketRef } from './object-refs.ts';
import { resultUnion, writeOrRefusal } from './result-union.ts';
import { TicketSelectorInput } from './ticket.ts';

const MarkSeenInput = builder.inputType('MarkSeenInput', {
  description:
    'A ticket, and the last of its messages that the viewer has seen. Example: ' +
    '`{ ticket: { reference: "INC-000047" }, message: "VGlja2V0TWVzc2FnZTo5" }`.',
  fields: (t) => ({
    ticket: t.field({ type: TicketSelectorInput, required: true, description: 'Which ticket.' }),
    message: t.id({
      required: true,
      description: 'Global id of a message of the ticket: `"VGlja2V0TWVzc2FnZTo5"`.',
    }),
  }),
});

const PayloadRef = builder.objectRef<SeenTicket>('MarkSeenPayload').implement({
  description: 'The viewer has seen the ticket up to the message.',
  fields: (t) => ({
    ticket: t.field({
      type: TicketRef,
      nullable: true,
      description: 'The ticket. Its `unseenCount` counts later messages.',
      resolve: ({ ticketId }, _args, ctx) => ctx.load.ticket.load(ticketId),
    }),
  }),
});

const ResultUnion = resultUnion('MarkSeenResult', 'markSeen', PayloadRef, 'The ticket, or the refusal.');

builder.mutationField('markSeen', (t) =>
  t.field({
    type: ResultUnion,
    description:
      'Records that the viewer has seen a ticket up to a message. Others do not see this. A message ' +
      'before the recorded one changes nothing. Idempotent, and without an event. Needs the scope READ.',
    args: {
      input: t.arg({ type: MarkSeenInput, required: true, description: 'The ticket and the message.' }),
    },
    resolve: (_root, { input: { ticket, message } }, ctx) =>
      writeOrRefusal(ctx, () =>
        markSeen(ctx, { ticket, messageId: decodeGlobalId('TicketMessage', message) ?? 0 }),
      ),
  }),
);
