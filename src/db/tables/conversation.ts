import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { eventTypes, formats, ticketStatuses, visibilities } from '../../platform/vocabulary.ts';
import { bytea, createdAt, id, instant, now, oneOf } from './column-types.ts';
import { users } from './people.ts';

/**
 * Tickets: reference, subject, status and requester of each. What its messages and events change (their
 * number, the last ones, when the ticket was active) is kept in its row too, and changes under the row's
 * lock.
 */
export const tickets = pgTable(
  'tickets',
  {
    id: id(),
    /** `INC-000047`, as it is shown. Unique without regard to case. */
    reference: text('reference').notNull(),
    /**
     * Key for looking a reference up. PostgreSQL does not consider `lower()` leakproof, so under row-level
     * security an index on the expression is never used, and every lookup would read the whole table.
     * Equality with a column is leakproof.
     */
    referenceKey: text('reference_key').notNull().generatedAlwaysAs(sql`lower(reference)`),
    subject: text('subject').notNull(),
    status: text('status', { enum: ticketStatuses }).notNull().default('OPEN'),
    requesterId: integer('requester_id')
      .notNull()
      .references(() => users.id),
    /** Message-ID of the customer's mail that opened the ticket: `<…@…>`. The first reply refers to it. */
    originalMessageId: text('original_message_id'),
    /*
     * The next columns change only under the row's lock, so that a command that waited for it reads current
     * values.
     */
    lastMessageId: integer('last_message_id'),
    lastPublicMessageId: integer('last_public_message_id'),
    messageCount: integer('message_count').notNull().default(0),
    publicMessageCount: integer('public_message_count').notNull().default(0),
    /**
     * Number of the last event. With `lastPublicEventNumber`, operators and requesters each see numbers
     * without gaps.
     */
    lastEventNumber: integer('last_event_number').notNull().default(0),
    lastPublicEventNumber: integer('last_public_event_number').notNull().default(0),
    /** When the last message was written; if the ticket has none, when it was opened. */
    activeAt: instant('active_at').notNull().default(now),
    /** The same of public messages. */
    publicActiveAt: instant('public_active_at').notNull().default(now),
    /**
     * Position in lists that are ordered by activity: `activeAt`, or the beginning of that minute if the
     * message before was in it too. Then `isListedByMinute`, and further messages of the minute do not write
     * the row's indexes.
     */
    listedAt: instant('listed_at').notNull().default(now),
    isListedByMinute: boolean('is_listed_by_minute').notNull().default(false),
    /** The same of public messages. */
    publicListedAt: instant('public_listed_at').notNull().default(now),
    isPublicListedByMinute: boolean('is_public_listed_by_minute').notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('tickets_reference_key').on(t.referenceKey),
    // One for each order of a list, by its viewers. `read/ticket-list-statement.ts` reads a status at a time.
    index('tickets_status_idx').on(t.status, t.id),
    index('tickets_requester_idx').on(t.requesterId, t.status, t.id),
    index('tickets_listed_idx').on(t.status, t.isListedByMinute, t.listedAt, t.id),
    index('tickets_requester_listed_idx').on(
      ...([t.requesterId, t.status, t.isPublicListedByMinute, t.publicListedAt, t.id] as const),
    ),
    // An operator's list of one requester's tickets.
    index('tickets_requester_desk_listed_idx').on(
      ...([t.requesterId, t.status, t.isListedByMinute, t.listedAt, t.id] as const),
    ),
    check('tickets_status_check', oneOf('status', ticketStatuses)),
  ],
);

/**
 * Messages of tickets, public and private. A redacted one keeps its row: its body is empty, and `redactedAt`
 * is set.
 */
export const messages = pgTable(
  'messages',
  {
    id: id(),
    ticketId: integer('ticket_id')
      .notNull()
      .references(() => tickets.id),
    authorId: integer('author_id')
      .notNull()
      .references(() => users.id),
    body: text('body').notNull(),
    format: text('format', { enum: formats }).notNull(),
    visibility: text('visibility', { enum: visibilities }).notNull(),
    isMobileDevice: boolean('is_mobile_device').notNull(),
    /** Language of the body: a canonical BCP 47 tag (`de-CH`); null: unknown. */
    language: text('language'),
    /** When its content was removed; null: it was not. */
    redactedAt: instant('redacted_at'),
    createdAt: createdAt(),
  },
  (t) => [
    // Orders a ticket's messages. Deliveries reference it with visibility PUBLIC, so that a private message
    // cannot have one.
    unique('messages_place_key').on(t.ticketId, t.id, t.visibility),
    check('messages_format_check', oneOf('format', formats)),
    check('messages_visibility_check', oneOf('visibility', visibilities)),
  ],
);

/** The last message that a person has seen of a ticket: at most one row for each user and ticket. */
export const seenMarks = pgTable(
  'seen_marks',
  {
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    ticketId: integer('ticket_id').notNull(),
    messageId: integer('message_id').notNull(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.ticketId] })],
);

/**
 * Idempotency keys of users, and the message that each created. Rows are deleted after 30 days. There are no
 * foreign keys: the same statement inserts the message, for an authenticated user, and the gateway has no
 * right to delete either. Only the tables' owner can.
 */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    userId: integer('user_id').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of the coerced input with the resolved ticket and each file's name, type and digest. */
    fingerprint: bytea('fingerprint').notNull(),
    messageId: integer('message_id').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.key] }),
    // Only used to find old keys, four times an hour: a B-tree would cost every message more than it saves.
    index('idempotency_keys_created_idx').using('brin', t.createdAt),
  ],
);

/**
 * Events of tickets, which subscriptions and webhooks read: what happened, when, by whom, and to which
 * message or delivery. They are numbered per ticket, and public ones a second time for requesters.
 */
export const events = pgTable(
  'events',
  {
    ticketId: integer('ticket_id')
      .notNull()
      .references(() => tickets.id),
    /** Gapless and in commit order within the ticket: assigned under the lock of the ticket's row. */
    number: integer('number').notNull(),
    /**
     * The same among public events, so that a requester's cursor does not reveal private ones. Never greater
     * than `number`.
     */
    publicNumber: integer('public_number'),
    type: text('type', { enum: eventTypes }).notNull(),
    visibility: text('visibility', { enum: visibilities }).notNull(),
    /*
     * No foreign keys: the statement that inserts the event also inserted or locked these rows, for an
     * authenticated actor.
     */
    /** The user who caused it; null: the gateway did, such as a mail worker. */
    actorId: integer('actor_id'),
    messageId: integer('message_id'),
    deliveryId: integer('delivery_id'),
    createdAt: createdAt(),
    /**
     * The id of the transaction that wrote it, plus an offset that a restored desk needs. Places below that
     * of the oldest transaction under way are final. Events from before this column have the place 1.
     */
    place: bigint('place', { mode: 'number' }).notNull().default(sql`event_place()`),
  },
  (t) => [
    primaryKey({ columns: [t.ticketId, t.number] }),
    // Orders the events of all tickets.
    index('events_place_idx').on(t.place, t.ticketId, t.number),
    // A requester's cursor may be far below the numbers of a ticket with many private events.
    index('events_public_idx').on(t.ticketId, t.publicNumber).where(sql`public_number is not null`),
    check('events_public_check', sql`(${t.publicNumber} is not null) = (${t.visibility} = 'PUBLIC')`),
    check('events_type_check', oneOf('type', eventTypes)),
  ],
);
