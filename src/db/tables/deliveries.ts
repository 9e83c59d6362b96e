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
import { bytea, createdAt, id, instant, now, oneOf } from './column-types.ts';
import { messages } from './conversation.ts';
import { mailboxes } from './mailboxes.ts';

/**
 * Mails of messages, at most one for each message, waiting as well as settled: sender, subject, state, and
 * when the next attempt is due. An attempt in flight has a token and a lease here.
 */
export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    messageId: integer('message_id').notNull().unique(),
    /**
     * Always PUBLIC. With the composite foreign key, a delivery of a private message or of another ticket's
     * message cannot exist.
     */
    visibility: text('visibility', { enum: visibilities }).notNull().default('PUBLIC'),
    ticketId: integer('ticket_id').notNull(),
    mailboxId: integer('mailbox_id')
      .notNull()
      .references(() => mailboxes.id),
    fromAddress: text('from_address').notNull(),
    fromName: text('from_name').notNull(),
    subject: text('subject').notNull(),
    /** The mailbox's signature when the message was written, so that the mail equals its preview. */
    signature: text('signature').notNull().default(''),
    /** Which earlier public messages the mail quotes. */
    quote: text('quote', { enum: quotes }).notNull().default('NONE'),
    /** The author declared that no person wrote it. The mail is marked accordingly (RFC 3834). */
    autoSubmitted: boolean('auto_submitted').notNull().default(false),
    /**
     * `<…@…>`: the same in every copy that is sent. It is unique by its 122 random bits; no mail is looked
     * up by it.
     */
    rfcMessageId: text('rfc_message_id').notNull(),
    state: text('state', { enum: deliveryStates }).notNull(),
    /** The delivery may not be claimed before this. Holds, schedules and back-off all set it. */
    dueAt: instant('due_at').notNull().default(now),
    /** Number of attempts so far. */
    attempts: integer('attempts').notNull().default(0),
    /** Fencing token of the attempt in flight; null exactly if the state is not TRANSMITTING. */
    attempt: uuid('attempt'),
    /** How far the attempt in flight has come; null without one. */
    phase: text('phase', { enum: attemptPhases }),
    /** When the attempt in flight counts as dead, unless its worker renews the lease; null without one. */
    leaseUntil: instant('lease_until'),
    /** Events that cancel a held delivery when it is claimed. */
    cancelIf: text('cancel_if', { enum: cancelReasons }).array().notNull().default(sql`'{}'`),
    /** Why the mail was not sent, or not yet, for operators; null: there is nothing to say. */
    failure: text('failure'),
    /**
     * When a deferred mail fails for good: 5 days after its first attempt, or after the first since an
     * operator's retry.
     */
    giveUpAt: instant('give_up_at'),
    /** When it last reached a state that no worker changes; null while it waits or is being sent. */
    settledAt: instant('settled_at'),
    createdAt: createdAt(),
    /** One of its files has not been scanned yet. Until then it is not due, whatever `dueAt` says. */
    awaitsScan: boolean('awaits_scan').notNull().default(false),
    /** Part of a foreign key, so that a delivery without a first recipient cannot exist. */
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
    index('deliveries_ticket_state_idx').on(t.ticketId, t.state, t.id),
    // For redactions: mails that may quote an earlier message.
    index('deliveries_quoting_idx').on(t.ticketId, t.messageId).where(sql`quote <> 'NONE'`),
    // For the worker: the next mails of a mailbox.
    index('deliveries_mailbox_due_idx')
      .on(t.mailboxId, t.dueAt, t.id)
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED') and not awaits_scan`),
    // For the list of tickets with unsettled mails.
    index('deliveries_ticket_pending_idx')
      .on(t.ticketId, t.id)
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`),
    // For the worker: the first mail of a ticket that later ones wait for. The index itself tells whether one
    // is due, so that mails which are due later cost no look at their rows.
    index('deliveries_ticket_first_idx')
      .on(
        t.mailboxId,
        t.ticketId,
        t.id,
        sql`(case when state = 'TRANSMITTING' then '-infinity'::timestamptz else due_at end)`,
      )
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING') and not awaits_scan`),
    index('deliveries_conditional_idx')
      .on(t.dueAt)
      .where(sql`cancel_if <> '{}' and state in ('QUEUED', 'HELD', 'DEFERRED')`),
    check('deliveries_quote_check', oneOf('quote', quotes)),
  ],
);

/** The recipients of a mail in To, Cc and Bcc, each with its own state and the mail server's reply. */
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
    /** The mail server's last reply about this recipient. */
    smtpReply: text('smtp_reply'),
    /** Its enhanced status code, by RFC 3463: `5.1.1`. */
    enhancedCode: text('enhanced_code'),
    /**
     * When the recipient's server accepted the mail, or may have. Other recipients of the mail may be
     * deferred for days.
     */
    sentAt: instant('sent_at'),
  },
  (t) => [
    primaryKey({ columns: [t.deliveryId, t.position] }),
    // For failed recipients, and for the number of mails to a recipient within the hour.
    index('delivery_recipients_failed_idx').on(t.deliveryId).where(sql`state = 'FAILED'`),
    // Not on the address: PostgreSQL does not consider `lower()` leakproof, so under row-level security such
    // an index is not used.
    index('delivery_recipients_sent_idx').on(t.sentAt).where(sql`sent_at is not null`),
    check('delivery_recipients_kind_check', oneOf('kind', recipientKinds)),
    check('delivery_recipients_state_check', oneOf('state', recipientStates)),
  ],
);

/**
 * Attempts to send a mail, finished ones and the one in flight. Each transmits to all recipients that are
 * pending or deferred.
 */
export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    deliveryId: integer('delivery_id')
      .notNull()
      .references(() => deliveries.id),
    /** From 1, in the order of the attempts. */
    number: integer('number').notNull(),
    /** The fencing token, as in `deliveries.attempt`. */
    token: uuid('token').notNull(),
    /** Host and process that made the attempt. */
    worker: text('worker').notNull(),
    phase: text('phase', { enum: attemptPhases }).notNull().default('CONNECT'),
    startedAt: instant('started_at').notNull().default(now),
    /** When the body's first byte was allowed; null: nothing of it was sent. */
    bodyAt: instant('body_at'),
    /** Null while it is under way. */
    endedAt: instant('ended_at'),
    /** The state that it gave the delivery; QUEUED: it ended without having sent anything. */
    outcome: text('outcome', { enum: deliveryStates }),
    /** The mail server's reply, or how the attempt ended without one. */
    reply: text('reply'),
  },
  (t) => [primaryKey({ columns: [t.deliveryId, t.number] })],
);

/**
 * The exact source of a mail, without Bcc: written before the first attempt sends its first byte, and reused
 * by every later attempt. Attachments are not repeated: it names their blobs and where they belong.
 */
export const deliverySources = pgTable('delivery_sources', {
  deliveryId: integer('delivery_id')
    .primaryKey()
    .references(() => deliveries.id),
  /** All bytes except the attachments' base64 lines. */
  skeleton: bytea('skeleton').notNull(),
  /**
   * `[{ offset, blobKey, byteSize }]` in order: the offsets in the skeleton at which the attachments' base64
   * lines belong.
   */
  inserts: jsonb('inserts').$type<{ offset: number; blobKey: string; byteSize: number }[]>().notNull(),
  createdAt: createdAt(),
});

/**
 * The database that the outbox belongs to, and whether sending is held, in a single row. A copy of the
 * database is in another place, and sends nothing until an operator releases its outbox.
 */
export const outboxHomes = pgTable(
  'outbox_homes',
  {
    only: boolean('only').primaryKey().default(true),
    /** Identifiers of the cluster, the database and its table. */
    place: text('place').notNull(),
    /** The cluster's timeline, which increases when a replica is promoted or a backup is recovered. */
    timeline: integer('timeline').notNull(),
    /** Since when sending is held, and why; null: mails are sent. */
    heldAt: instant('held_at'),
    reason: text('reason'),
    createdAt: createdAt(),
  },
  (t) => [check('outbox_homes_only_check', sql`${t.only}`)],
);
