import { bigint, index, integer, jsonb, pgTable, text, varchar } from 'drizzle-orm/pg-core';
import { bytea, createdAt, id, instant, now } from './column-types.ts';
import { users } from './people.ts';

/** Random keys of 32 bytes that all processes of the desk share, created by the first one that needs one. */
export const deskKeys = pgTable('desk_keys', {
  name: text('name').primaryKey(),
  key: bytea('key').notNull(),
  createdAt: createdAt(),
});

/**
 * Audited actions: who did what to which ticket, message or delivery. Actions on others, such as users,
 * tokens, mailboxes, webhooks and the outbox, name them in `details` alone. An entry without an actor was
 * made from the command line or by the gateway itself. The gateway's role can add entries, but not change or
 * delete them.
 */
export const auditEntries = pgTable('audit_entries', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  actorId: integer('actor_id').references(() => users.id),
  action: text('action').notNull(),
  ticketId: integer('ticket_id'),
  messageId: integer('message_id'),
  deliveryId: integer('delivery_id'),
  details: jsonb('details').notNull().default({}),
  createdAt: createdAt(),
});

/** A mail's entry in the inbox's list, taken from its headers. */
export interface MailSummary {
  /** `Jane Doe <jane@example.org>`, or the address alone; empty if the header is missing. */
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  /** Empty if the header is missing. */
  readonly subject: string;
  /** Number of attached files; inline images are not counted. */
  readonly attachments: number;
}

/**
 * Mails of the development inbox, as its SMTP server received them: envelope, source, and what a list shows.
 */
export const inboxMails = pgTable('inbox_mails', {
  id: id(),
  mailFrom: text('mail_from').notNull(),
  /** The addresses of the envelope's sender (`mail_from`) and of every RCPT TO, blind copies included. */
  rcptTo: text('rcpt_to').array().notNull(),
  source: bytea('source').notNull(),
  /** Extracted when the mail was received, so that a list need not read whole mails. */
  summary: jsonb('summary').$type<MailSummary>().notNull(),
  /** The beginning of its text, for lists and searches. */
  bodyText: text('body_text').notNull().default(''),
  receivedAt: instant('received_at').notNull().default(now),
  /** When it was first opened. */
  readAt: instant('read_at'),
});

/** Counters of rate limits that all processes share (`RATE_LIMITS=postgres`). */
export const rateLimits = pgTable(
  'rate_limits',
  {
    key: varchar('key', { length: 255 }).primaryKey(),
    points: integer('points').notNull().default(0),
    /** Milliseconds since 1970. */
    expire: bigint('expire', { mode: 'number' }),
  },
  (t) => [index('rate_limits_expire_idx').on(t.expire)],
);
