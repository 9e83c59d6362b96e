import { sql } from 'drizzle-orm';
import {
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
import { bytea, createdAt, id, instant, oneOf } from './columns.ts';
import { users } from './people.ts';

export const tickets = pgTable(
  'tickets',
  {
    id: id(),
    reference: text('reference').notNull(),
    /**
     * What a reference is looked up by. `lower()` may leak its argument for all PostgreSQL knows, so behind
     * row-level security an index on it is never used and every lookup would read the whole table; equality
     * with a column is safe.
     */
    referenceKey: text('reference_key').notNull().generatedAlwaysAs(sql`lower(reference)`),
    subject: text('subject').notNull(),
    status: text('status', { enum: ticketStatuses }).notNull().default('OPEN'),
    requesterId: integer('requester_id')
      .notNull()
      .references(() => users.id),
    /** The customer's own mail that opened the ticket: `<…@…>`; the first reply answers it. */
    originalMessageId: text('original_message_id'),
    /* The next columns change under the row's lock only, so that a command that waited reads them fresh. */
    lastMessageId: integer('last_message_id'),
    lastPublicMessageId: integer('last_public_message_id'),
    messageCount: integer('message_count').notNull().default(0),
    publicMessageCount: integer('public_message_count').notNull().default(0),
    /** Number of the last event; with `lastPublicEventNumber` the two classes of viewers each see no gap. */
    lastEventNumber: integer('last_event_number').notNull().default(0),
    lastPublicEventNumber: integer('last_public_event_number').notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('tickets_reference_key').on(t.referenceKey),
    index('tickets_requester_idx').on(t.requesterId, t.id),
    // A page or a count of the few tickets in one status would read through all the others.
    index('tickets_status_idx').on(t.status, t.id),
    check('tickets_status_check', oneOf('status', ticketStatuses)),
  ],
);

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
    /** What it is written in: a BCP 47 tag, canonical (`de-CH`); null: not said. */
    language: text('language'),
    redactedAt: instant('redacted_at'),
    createdAt: createdAt(),
  },
  (t) => [
    // A ticket's messages in order, and what a delivery refers to: a private message has no such place with
    // PUBLIC.
    unique('messages_place_key').on(t.ticketId, t.id, t.visibility),
    check('messages_format_check', oneOf('format', formats)),
    check('messages_visibility_check', oneOf('visibility', visibilities)),
  ],
);

/**
 * Kept for 30 days. No foreign keys: its own statement wrote the message, for a user who had signed in, and
 * both outlive the key.
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
    // Asked for old ones only, four times an hour: a B-tree would cost each message more than that is worth.
    index('idempotency_keys_created_idx').using('brin', t.createdAt),
  ],
);

export const events = pgTable(
  'events',
  {
    ticketId: integer('ticket_id')
      .notNull()
      .references(() => tickets.id),
    /** Gapless and in commit order within the ticket: assigned under its row's lock. */
    number: integer('number').notNull(),
    /**
     * The same among the public ones, so that a requester's cursor tells nothing of private events. Never
     * greater than `number`.
     */
    publicNumber: integer('public_number'),
    type: text('type', { enum: eventTypes }).notNull(),
    visibility: text('visibility', { enum: visibilities }).notNull(),
    /*
     * No foreign keys: the statement that writes the event wrote or held what it names, for an actor who had
     * signed in.
     */
    actorId: integer('actor_id'),
    messageId: integer('message_id'),
    deliveryId: integer('delivery_id'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.ticketId, t.number] }),
    check('events_public_check', sql`(${t.publicNumber} is not null) = (${t.visibility} = 'PUBLIC')`),
    check('events_type_check', oneOf('type', eventTypes)),
  ],
);
