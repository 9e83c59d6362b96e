import { requireViewer } from '../../tickets/permissions.ts';
import { type StatusSet, setTicketStatus } from '../../tickets/set-status.ts';
import { builder } from './builder.ts';
import { TicketStatusEnum } from './enums.ts';
import { TicketRef } from './object-refs.ts';
import { resultUnion, writeOrRefusal } from './result-union.ts';
import { TicketSelectorInput } from './ticket.ts';

const SetTicketStatusInput = builder.inputType('SetTicketStatusInput', {
  description:
    'A ticket and its new status. Example: `{ ticket: { reference: "INC-000047" }, status: CLOSED }`.',
  fields: (t) => ({
    ticket: t.field({ type: TicketSelectorInput, required: true, description: 'Which ticket.' }),
    status: t.field({
      type: TicketStatusEnum,
      required: true,
      description: 'The new status: `CLOSED`.',
    }),
  }),
});

const PayloadRef = builder.objectRef<StatusSet>('SetTicketStatusPayload').implement({
  description: 'The ticket has the requested status.',
  fields: (t) => ({
    ticket: t.field({
      type: TicketRef,
      nullable: true,
      description: 'The ticket as it is now. Null, with an error FORBIDDEN, without the scope READ.',
      resolve: ({ ticketId }, _args, ctx) => {
        requireViewer(ctx, 'read');
        return ctx.load.ticket.load(ticketId);
      },
    }),
    changed: t.exposeBoolean('changed', {
      description: 'False: the ticket already had this status, and there is no event.',
    }),
  }),
});

const ResultUnion = resultUnion(
  'SetTicketStatusResult',
  'setTicketStatus',
  PayloadRef,
  'The ticket, or the refusal.',
);

builder.mutationField('setTicketStatus', (t) =>
  t.field({
    type: ResultUnion,
    description: 'Closes a ticket or reopens it. Idempotent. For operators with the scope WRITE.',
    args: {
      input: t.arg({ type: SetTicketStatusInput, required: true, description: 'The ticket and its status.' }),
    },
    resolve: (_root, { input }, ctx) => writeOrRefusal(ctx, () => setTicketStatus(ctx, input)),
  }),
);
