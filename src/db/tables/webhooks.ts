import { sql } from 'drizzle-orm';
import { bigint, boolean, check, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { EventType } from '../../platform/vocabulary.ts';
import { bytea, createdAt, id, instant, now, oneOf } from './column-types.ts';

/** Why no requests are sent to an endpoint. */
const disabledReasons = ['OPERATOR', 'GONE', 'FAILING'] as const;

/** Endpoints elsewhere that receive the desk's events, and how far each has received them. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: id(),
    url: text('url').notNull(),
    /** Only events of these types; null: of all. */
    types: text('types').array().$type<EventType[]>(),
    /** Whether it receives private events as well: notes and mails. */
    includesPrivate: boolean('includes_private').notNull().default(false),
    /**
     * Signs each request. Not encrypted, because whoever reads the database can read the events themselves.
     */
    secret: bytea('secret').notNull(),
    /** The secret before the last rotation, which signs as well until `previous_secret_until`. */
    previousSecret: bytea('previous_secret'),
    previousSecretUntil: instant('previous_secret_until'),
    /** The last event that the endpoint has received: its `place`, and below its ticket and number. */
    place: bigint('place', { mode: 'number' }).notNull(),
    ticketId: integer('ticket_id').notNull(),
    number: integer('number').notNull(),
    /** Number of failed requests since the last one that succeeded, and when the first of them failed. */
    failures: integer('failures').notNull().default(0),
    failingSince: instant('failing_since'),
    /** When the next request may be sent. */
    dueAt: instant('due_at').notNull().default(now),
    /** Number of events that it has received. */
    delivered: bigint('delivered', { mode: 'number' }).notNull().default(0),
    lastDeliveredAt: instant('last_delivered_at'),
    /** How the last failed request ended: `status 503`. Never anything that the endpoint sent. */
    lastError: text('last_error'),
    disabledAt: instant('disabled_at'),
    disabledReason: text('disabled_reason', { enum: disabledReasons }),
    /** The lease of the worker that sends to it now. */
    leaseToken: uuid('lease_token'),
    leaseUntil: instant('lease_until'),
    createdAt: createdAt(),
  },
  (t) => [
    check('webhooks_disabled_reason', oneOf('disabled_reason', disabledReasons)),
    check('webhooks_disabled', sql`(${t.disabledAt} is null) = (${t.disabledReason} is null)`),
  ],
);
