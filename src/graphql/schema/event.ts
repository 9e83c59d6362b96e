import type { TicketEvent } from '../../tickets/events/event.ts';
import { listTicketEvents, watchTicketEvents } from '../../tickets/events/ticket-events.ts';
import { maxPageSize } from '../../tickets/read/page.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { EventTypeEnum, VisibilityEnum } from './enums.ts';
import { PersonRef } from './person.ts';
import { MessageRef } from './refs.ts';
import { TicketSelectorInput } from './ticket.ts';

const EventRef = builder.objectRef<TicketEvent>('TicketEvent').implement({
  description:
    'Something that happened in a ticket. Events that the viewer may not see are left out without a ' +
    'gap.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description: 'Cursor of this event. Pass it to `ticketEvents(after:)` to get later events.',
    }),
    type: t.expose('type', { type: EventTypeEnum, description: 'What happened.' }),
    visibility: t.expose('visibility', { type: VisibilityEnum, description: 'Who may see it.' }),
    at: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    actor: t.field({
      type: PersonRef,
      nullable: true,
      description: 'Who did it. Null for automatic events, such as a mail being sent.',
      resolve: ({ actorId }, _args, ctx) => (actorId === null ? null : ctx.load.person.load(actorId)),
    }),
    ticketMessage: t.field({
      type: MessageRef,
      nullable: true,
      description: 'The message that it is about.',
      resolve: ({ messageId }, _args, ctx) => (messageId === null ? null : ctx.load.message.load(messageId)),
    }),
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'The delivery that it is about. Null for requesters.',
      resolve: ({ deliveryId }, _args, ctx) =>
        deliveryId === null ? null : ctx.load.delivery.load(deliveryId),
    }),
  }),
});

const ticketArg = { type: TicketSelectorInput, required: true, description: 'The ticket.' } as const;
const afterArg = {
  description:
    'The `cursor` of an event, ticket or payload of this ticket. Only later events are returned. All ' +
    'events when absent.',
} as const;

builder.queryField('ticketEvents', (t) =>
  t.field({
    type: [EventRef],
    nullable: true,
    description: 'The events after a cursor, oldest first. Needs the scope READ.',
    complexity: ({ first }) => ({
      field: 1,
      multiplier: Math.max(1, Math.min(first ?? maxPageSize, maxPageSize)),
    }),
    args: {
      ticket: t.arg(ticketArg),
      after: t.arg.string(afterArg),
      first: t.arg.int({
        description: `Maximum number of events: 0 to ${maxPageSize}; ${maxPageSize} when absent.`,
      }),
    },
    resolve: async (_root, { first, ...input }, ctx) => [...(await listTicketEvents(ctx, input, first))],
  }),
);

builder.subscriptionField('ticketEvents', (t) =>
  t.field({
    type: EventRef,
    description:
      'The events after a cursor, and then new ones as they happen, without gaps or repeats. After a ' +
      'lost connection, subscribe again with the last cursor that you received: as `after`, or in the ' +
      'header `Last-Event-ID`. Needs the scope READ. By default, a user may have 100 subscriptions at ' +
      'a time. The next one ends with TOO_MANY_SUBSCRIPTIONS.',
    args: { ticket: t.arg(ticketArg), after: t.arg.string(afterArg) },
    subscribe: (_root, { ticket, after }, ctx) =>
      watchTicketEvents(ctx, { ticket, after: ctx.place.resumeAfter ?? after }),
    resolve: ({ event }) => event,
  }),
);
