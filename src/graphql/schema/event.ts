import {
  listTicketEvents,
  type SeenEvent,
  type TicketEvent,
  watchTicketEvents,
} from '../../tickets/read/events.ts';
import { maxPageSize } from '../../tickets/read/page.ts';
import type { GraphContext } from '../context/context.ts';
import { Loaders } from '../context/loaders.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { EventTypeEnum, VisibilityEnum } from './enums.ts';
import { PersonRef } from './person.ts';
import { MessageRef } from './refs.ts';
import { TicketSelectorInput } from './ticket.ts';

const EventRef = builder.objectRef<TicketEvent>('TicketEvent').implement({
  description:
    'Something that happened in a ticket. What the viewer may not see is not told, and leaves no gap.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description:
        "Its place among the ticket's events: pass it to `ticketEvents(after:)` for what comes next.",
    }),
    type: t.expose('type', { type: EventTypeEnum, description: 'What happened.' }),
    visibility: t.expose('visibility', { type: VisibilityEnum, description: 'Who may know of it.' }),
    at: t.expose('createdAt', { type: 'DateTime', description: 'When it happened.' }),
    actor: t.field({
      type: PersonRef,
      nullable: true,
      description: 'Who did it; null for what happened by itself, such as a mail being sent.',
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
      description: 'The delivery that it is about; null for requesters.',
      resolve: ({ deliveryId }, _args, ctx) =>
        deliveryId === null ? null : ctx.load.delivery.load(deliveryId),
    }),
  }),
});

const ticketArg = { type: TicketSelectorInput, required: true, description: 'Of which ticket.' } as const;
const afterArg = {
  description:
    'The `cursor` of an event, a ticket or a payload of this ticket: the events after it. Absent: from ' +
    'the first event.',
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
      first: t.arg.int({ description: `So many at most: 0 to ${maxPageSize}; ${maxPageSize} when absent.` }),
    },
    resolve: (_root, { first, ...input }, ctx) => listTicketEvents(ctx, input, first),
  }),
);

builder.subscriptionField('ticketEvents', (t) =>
  t.field({
    type: EventRef,
    description:
      'The events after a cursor and then those to come, without a gap or a repeat. After a lost ' +
      'connection, subscribe again with the last cursor that you have seen: as `after`, or as the header ' +
      '`Last-Event-ID`. Needs the scope READ. One user has 100 of them at a time, unless the desk says ' +
      'otherwise: the next ends with TOO_MANY_SUBSCRIPTIONS.',
    args: { ticket: t.arg(ticketArg), after: t.arg.string(afterArg) },
    subscribe: (_root, { ticket, after }, ctx) =>
      asSeen(ctx, watchTicketEvents(ctx, { ticket, after: ctx.place.resumeAfter ?? after })),
    resolve: (event) => event,
  }),
);

/**
 * What hangs on an event is resolved for who the watcher is by now, and not from what was loaded for an
 * earlier event.
 */
async function* asSeen(ctx: GraphContext, events: AsyncGenerator<SeenEvent>): AsyncGenerator<TicketEvent> {
  for await (const { event, viewer } of events) {
    ctx.viewer = viewer;
    ctx.load = new Loaders({ ...ctx });
    ctx.place.reached = event.cursor;
    yield event;
  }
}
