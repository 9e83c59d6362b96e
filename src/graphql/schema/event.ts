import { decodeGlobalId } from '../../platform/global-id.ts';
import {
  type ShownEventType,
  shownEventType,
  type TicketStatus,
  type Visibility,
} from '../../platform/vocabulary.ts';
import {
  currentDeskCursor,
  type DeskEventPage,
  listDeskEvents,
  watchDeskEvents,
} from '../../tickets/events/desk-events.ts';
import type { TicketEvent } from '../../tickets/events/event.ts';
import type { DeskEventFilter } from '../../tickets/events/read-desk-events.ts';
import { listTicketEvents, watchTicketEvents } from '../../tickets/events/ticket-events.ts';
import { maxPageSize } from '../../tickets/read/pagination.ts';
import { builder } from './builder.ts';
import { DeliveryRef } from './delivery.ts';
import { EventTypeEnum, TicketStatusEnum, VisibilityEnum } from './enums.ts';
import { MessageRef, TicketRef } from './object-refs.ts';
import { PersonRef } from './person-and-viewer.ts';
import { TicketSelectorInput } from './ticket.ts';

const EventRef = builder.objectRef<TicketEvent>('TicketEvent').implement({
  description:
    'Something that happened in a ticket. Events that the viewer may not see are left out without a ' +
    'gap.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', {
      description:
        'Cursor of this event in the list that it is read from: `ticketEvents` or `deskEvents`. Pass it to ' +
        'that list as `after` to get later events.',
    }),
    ticket: t.field({
      type: TicketRef,
      nullable: true,
      description: 'The ticket, as it is now. Null when the viewer may not see it any more.',
      resolve: ({ ticketId }, _args, ctx) => ctx.load.ticket.load(ticketId),
    }),
    type: t.field({
      type: EventTypeEnum,
      description: 'What happened.',
      resolve: ({ type }) => shownEventType(type),
    }),
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

const DeskFilterInput = builder.inputType('DeskEventFilter', {
  description:
    'Selects events that meet all conditions. Example: `{ types: [MESSAGE_ADDED], status: OPEN }`.',
  fields: (t) => ({
    types: t.field({
      type: [EventTypeEnum],
      description: 'Only events of these types: `[DELIVERY_FAILED]`.',
    }),
    visibility: t.field({ type: VisibilityEnum, description: 'Only events with this visibility: `PUBLIC`.' }),
    status: t.field({
      type: TicketStatusEnum,
      description: 'Only events of tickets that are in this status now: `OPEN`.',
    }),
    requester: t.id({ description: "Global id of a person: only events of this requester's tickets." }),
  }),
});

interface GivenDeskFilter {
  types?: readonly ShownEventType[] | null | undefined;
  visibility?: Visibility | null | undefined;
  status?: TicketStatus | null | undefined;
  requester?: string | null | undefined;
}
/** A person who is not there finds nothing, like a requester without tickets. 0: no person's id. */
const deskFilterOf = ({ requester, ...filter }: GivenDeskFilter = {}): DeskEventFilter => ({
  ...filter,
  requesterId: requester == null ? null : (decodeGlobalId('Person', requester) ?? 0),
});

const DeskEventPageRef = builder.objectRef<DeskEventPage>('DeskEventPage').implement({
  description: "A page of the desk's events.",
  fields: (t) => ({
    events: t.field({
      type: [EventRef],
      // The page's field already has the page size as its multiplier.
      complexity: { field: 1, multiplier: 1 },
      description: 'The events that meet the filter, oldest first.',
      resolve: ({ events }) => [...events],
    }),
    cursor: t.exposeString('cursor', {
      description:
        'Cursor at the end of this page. It advances even when none of many events meets the filter.',
    }),
    hasMore: t.exposeBoolean('hasMore', {
      description: 'Whether there may be more events: then query again at once, after `cursor`.',
    }),
  }),
});

const deskFilterArg = { type: DeskFilterInput, description: 'Conditions; all when absent.' } as const;

builder.queryFields((t) => ({
  deskEvents: t.field({
    type: DeskEventPageRef,
    nullable: true,
    description:
      'The events of all tickets after a cursor. Events of one ticket are in order. A later event never ' +
      'appears before a cursor that was returned earlier. For operators with the scope READ.',
    complexity: ({ first }) => ({
      field: 1,
      multiplier: Math.max(1, Math.min(first ?? maxPageSize, maxPageSize)),
    }),
    args: {
      after: t.arg.string({ description: 'A cursor of this list. From the first event when absent.' }),
      first: t.arg.int({
        description: `Maximum number of events: 0 to ${maxPageSize}; ${maxPageSize} when absent.`,
      }),
      filter: t.arg(deskFilterArg),
    },
    resolve: (_root, { first, after, filter }, ctx) =>
      listDeskEvents(ctx, { after, filter: deskFilterOf(filter ?? {}) }, first),
  }),
  deskCursor: t.string({
    nullable: true,
    description:
      'The cursor at the end of `deskEvents`, as of now. To keep lists up to date, read it first, then the ' +
      'lists, then the events after it. For operators with the scope READ.',
    resolve: (_root, _args, ctx) => currentDeskCursor(ctx),
  }),
}));

builder.subscriptionField('deskEvents', (t) =>
  t.field({
    type: EventRef,
    description:
      'The events of all tickets after a cursor, and then new ones as they happen, without gaps or ' +
      'repeats. It resumes as `ticketEvents` does, and counts towards the same limit of subscriptions. ' +
      'For operators with the scope READ.',
    args: {
      after: t.arg.string({ description: 'A cursor of this list. Only new events when absent.' }),
      filter: t.arg(deskFilterArg),
    },
    subscribe: (_root, { after, filter }, ctx) =>
      watchDeskEvents(ctx, {
        after: ctx.place.resumeAfter ?? after,
        filter: deskFilterOf(filter ?? {}),
        // A client that is cut off before its first event would begin anew, behind what happened meanwhile.
        began: (cursor) => {
          ctx.place.reached = cursor;
        },
      }),
    resolve: ({ event }) => event,
  }),
);
