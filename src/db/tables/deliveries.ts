import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uuid,
} from 'drizzle-orm/pg-core';
import {
  attemptPhases,
  cancelReasons,
  deliveryStates,
  quotes,
  recipientKinds,
  recipientStates,
  visibilities,
} from '../../platform/vocabulary.ts';
import { bytea, createdAt, id, instant, oneOf } from './columns.ts';
import { messages } from './conversation.ts';
import { mailboxes } from './mailboxes.ts';

export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    messageId: integer('message_id').notNull().unique(),
    /**
     * Always PUBLIC: with the composite foreign key, a delivery of a private message or by another ticket
     * cannot exist.
     */
    visibility: text('visibility', { enum: visibilities }).notNull().default('PUBLIC'),
    ticketId: integer('ticket_id').notNull(),
    mailboxId: integer('mailbox_id')
      .notNull()
      .references(() => mailboxes.id),
    fromAddress: text('from_address').notNull(),
    fromName: text('from_name').notNull(),
    subject: text('subject').notNull(),
    /** The mailbox's signature when the message was written: what was previewed is what is sent. */
    signature: text('signature').notNull().default(''),
    /** Which earlier public messages the mail repeats below its own. */
    quote: text('quote', { enum: quotes }).notNull().default('NONE'),
    /** No person wrote it, as its author said: the mail says so as well (RFC 3834). */
    autoSubmitted: boolean('auto_submitted').notNull().default(false),
    /**
     * `<…@…>`: the same in every copy that is ever sent. Its 122 random bits keep it unique; no mail is
     * looked up by it.
     */
    rfcMessageId: text('rfc_message_id').notNull(),
    state: text('state', { enum: deliveryStates }).notNull(),
    /** Not to be claimed before; the hold, the schedule and the back-off are all this. */
    dueAt: instant('due_at').notNull().defaultNow(),
    attempts: integer('attempts').notNull().default(0),
    /** The fencing token of the attempt in flight. */
    attempt: uuid('attempt'),
    phase: text('phase', { enum: attemptPhases }),
    leaseUntil: instant('lease_until'),
    /** States that make a held delivery void when it is claimed. */
    cancelIf: text('cancel_if', { enum: cancelReasons }).array().notNull().default(sql`'{}'`),
    failure: text('failure'),
    /**
     * When a mail that is still deferred has failed: 5 days after its first attempt, or the first since an
     * operator's retry.
     */
    giveUpAt: instant('give_up_at'),
    settledAt: instant('settled_at'),
    createdAt: createdAt(),
    /** One of its files has not been scanned yet. It is not due before, whatever `dueAt` says. */
    awaitsScan: boolean('awaits_scan').notNull().default(false),
    /** With its foreign key: a delivery without a first recipient cannot exist. */
    firstRecipient: smallint('first_recipient').notNull().default(1),
  },
  (t) => [
    foreignKey({
      name: 'deliveries_place_fk',
      columns: [t.ticketId, t.messageId, t.visibility],
      foreignColumns: [messages.ticketId, messages.id, messages.visibility],
    }),
    check('deliveries_visibility_check', sql`${t.visibility} = 'PUBLIC'`),
    check('deliveries_state_check', oneOf('state', deliveryStates)),
    check('deliveries_first_recipient_check', sql`${t.firstRecipient} = 1`),
    check('deliveries_attempt_check', sql`(${t.state} = 'TRANSMITTING') = (${t.attempt} is not null)`),
    index('deliveries_lease_idx').on(t.leaseUntil).where(sql`state = 'TRANSMITTING'`),
    index('deliveries_state_idx').on(t.state, t.id),
    index('deliveries_ticket_idx').on(t.ticketId, t.id),
    // What a redaction has to look at: the mails that may repeat an earlier message.
    index('deliveries_quoting_idx').on(t.ticketId, t.messageId).where(sql`quote <> 'NONE'`),
    // What the worker asks: the next mails of one mailbox, and whether an earlier one of the same ticket is
    // still to go.
    index('deliveries_mailbox_due_idx')
      .on(t.mailboxId, t.dueAt, t.id)
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED') and not awaits_scan`),
    index('deliveries_ticket_pending_idx')
      .on(t.ticketId, t.id)
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`),
    index('deliveries_conditional_idx')
      .on(t.dueAt)
      .where(sql`cancel_if <> '{}' and state in ('QUEUED', 'HELD', 'DEFERRED')`),
    check('deliveries_quote_check', oneOf('quote', quotes)),
  ],
);

export const deliveryRecipients = pgTable(
  'delivery_recipients',
  {
    deliveryId: integer('delivery_id')
      .notNull()
      .references(() => deliveries.id),
    /** From 1, in the order of the headers: To, Cc, Bcc. */
    position: smallint('position').notNull(),
    kind: text('kind', { enum: recipientKinds }).notNull(),
    address: text('address').notNull(),
    name: text('name').notNull().default(''),
    state: text('state', { enum: recipientStates }).notNull().default('PENDING'),
    smtpReply: text('smtp_reply'),
    /** RFC 3463: `5.1.1`. */
    enhancedCode: text('enhanced_code'),
    /**
     * When their server took it, or may have; other recipients of the same mail may have to wait for days.
     */
    sentAt: instant('sent_at'),
  },
  (t) => [
    primaryKey({ columns: [t.deliveryId, t.position] }),
    // Who failed, and how often somebody was mailed within the hour.
    index('delivery_recipients_failed_idx').on(t.deliveryId).where(sql`state = 'FAILED'`),
    // Not by address: `lower()` may leak its argument for all PostgreSQL knows, so behind row-level security
    // an index by it finds nothing.
    index('delivery_recipients_sent_idx').on(t.sentAt).where(sql`sent_at is not null`),
    check('delivery_recipients_kind_check', oneOf('kind', recipientKinds)),
    check('delivery_recipients_state_check', oneOf('state', recipientStates)),
  ],
);

export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    deliveryId: integer('delivery_id')
      .notNull()
      .references(() => deliveries.id),
    number: integer('number').notNull(),
    token: uuid('token').notNull(),
    worker: text('worker').notNull(),
    phase: text('phase', { enum: attemptPhases }).notNull().default('CONNECT'),
    startedAt: instant('started_at').notNull().defaultNow(),
    bodyAt: instant('body_at'),
    endedAt: instant('ended_at'),
    outcome: text('outcome', { enum: deliveryStates }),
    reply: text('reply'),
  },
  (t) => [primaryKey({ columns: [t.deliveryId, t.number] })],
);

/**
 * The exact source of what is sent, without blind copies: written before the first attempt comes to its first
 * byte, and sent as it is by every later one. Attachments are named by their place in it and not repeated.
 */
export const deliverySources = pgTable('delivery_sources', {
  deliveryId: integer('delivery_id')
    .primaryKey()
    .references(() => deliveries.id),
  /** All bytes but the attachments' base64 lines. */
  skeleton: bytea('skeleton').notNull(),
  /**
   * `[{ offset, blobKey, byteSize }]` in order: where in the skeleton each attachment's base64 lines belong.
   */
  inserts: jsonb('inserts').$type<{ offset: number; blobKey: string; byteSize: number }[]>().notNull(),
  createdAt: createdAt(),
});

/**
 * Where the outbox is at home: a copy of the database is somewhere else, and sends nothing until it is told
 * to. One row.
 */
export const outboxHomes = pgTable(
  'outbox_homes',
  {
    only: boolean('only').primaryKey().default(true),
    /** The cluster, the database and its table. */
    place: text('place').notNull(),
    timeline: integer('timeline').notNull(),
    /** Since when nothing is sent, and why; null: mails go. */
    heldAt: instant('held_at'),
    reason: text('reason'),
    createdAt: createdAt(),
  },
  (t) => [check('outbox_homes_only_check', sql`${t.only}`)],
);
