import { listTicketEvents, type TicketEvent, watchTicketEvents } from '../tickets/ticket-events.ts';
import { builder } from './builder.ts';
import type { GraphContext } from './context.ts';
import { DeliveryRef } from './delivery.ts';
import { EventTypeEnum, VisibilityEnum } from './enums.ts';
import { Loaders } from './loaders.ts';
import { MessageRef } from './message.ts';
import { maxPageSize } from './page.ts';
import { PersonRef } from './person.ts';
import { TicketSelectorInput } from './ticket.ts';

const EventRef = builder.objectRef<TicketEvent>('TicketEvent').implement({
  description:
    'Something that happened in a ticket. What the viewer may not see is not told, nor does it leave a gap.',
  fields: (t) => ({
    cursor: t.string({ description: 'Events after it are news.', resolve: ({ number }) => String(number) }),
    type: t.expose('type', { type: EventTypeEnum }),
    visibility: t.expose('visibility', { type: VisibilityEnum }),
    at: t.expose('createdAt', { type: 'DateTime' }),
    actor: t.field({
      type: PersonRef,
      nullable: true,
      description: 'Who did it; null when nobody did.',
      resolve: ({ actorId }, _args, ctx) => (actorId === null ? null : ctx.load.person.load(actorId)),
    }),
    ticketMessage: t.field({
      type: MessageRef,
      nullable: true,
      resolve: ({ messageId }, _args, ctx) => (messageId === null ? null : ctx.load.message.load(messageId)),
    }),
    delivery: t.field({
      type: DeliveryRef,
      nullable: true,
      description: 'Null for requesters.',
      resolve: ({ deliveryId }, _args, ctx) =>
        deliveryId === null ? null : ctx.load.delivery.load(deliveryId),
    }),
  }),
});

builder.queryField('ticketEvents', (t) =>
  t.field({
    type: [EventRef],
    description: 'The events after a cursor, oldest first.',
    complexity: ({ first }) => ({
      field: 1,
      multiplier: Math.max(1, Math.min(first ?? maxPageSize, maxPageSize)),
    }),
    args: {
      ticket: t.arg({ type: TicketSelectorInput, required: true }),
      after: t.arg.string({
        description: 'A cursor of an event, a ticket or a payload; absent: from the first event.',
      }),
      first: t.arg.int({ description: '100 unless told, 100 at most.' }),
    },
    resolve: (_root, { first, ...input }, ctx) =>
      listTicketEvents(ctx, input, Math.max(0, first ?? maxPageSize)),
  }),
);

builder.subscriptionField('ticketEvents', (t) =>
  t.field({
    type: EventRef,
    description:
      'The events after a cursor and then those to come, without a gap or a repeat: come back with the last cursor seen.',
    args: {
      ticket: t.arg({ type: TicketSelectorInput, required: true }),
      after: t.arg.string({
        description: 'A cursor of an event, a ticket or a payload; absent: from the first event.',
      }),
    },
    subscribe: (_root, { ticket, after }, ctx) =>
      fresh(ctx, watchTicketEvents(ctx, { ticket, after: ctx.place.resumeAfter ?? after })),
    resolve: (event) => event,
  }),
);

/** What was loaded for one event is old at the next one. */
async function* fresh(ctx: GraphContext, events: AsyncGenerator<TicketEvent>): AsyncGenerator<TicketEvent> {
  for await (const event of events) {
    ctx.load = new Loaders(ctx);
    ctx.place.reached = String(event.number);
    yield event;
  }
}
