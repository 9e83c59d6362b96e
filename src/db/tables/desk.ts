import { bigint, index, integer, jsonb, pgTable, text, varchar } from 'drizzle-orm/pg-core';
import { bytea, createdAt, id, instant } from './columns.ts';
import { users } from './people.ts';

/** Keys of the desk's own, which all of its processes share: random, made by the first that needs one. */
export const deskKeys = pgTable('desk_keys', {
  name: text('name').primaryKey(),
  key: bytea('key').notNull(),
  createdAt: createdAt(),
});

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

/** What a list of mails shows of each, as its own headers tell it. */
export interface MailSummary {
  /** `Jane Doe <jane@example.org>` */
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string;
  /** Files beside the text; images inside it are not counted. */
  readonly attachments: number;
}

/** The development inbox's mails, as its SMTP server received them. */
export const inboxMails = pgTable('inbox_mails', {
  id: id(),
  mailFrom: text('mail_from').notNull(),
  /** Every RCPT TO, so blind copies too. */
  rcptTo: text('rcpt_to').array().notNull(),
  source: bytea('source').notNull(),
  /** Read from its headers when it came in, so that a list need not read whole mails. */
  summary: jsonb('summary').$type<MailSummary>().notNull(),
  /** The beginning of what it says, to be shown in a list and found by a search. */
  bodyText: text('body_text').notNull().default(''),
  receivedAt: instant('received_at').notNull().defaultNow(),
  /** When somebody first opened it. */
  readAt: instant('read_at'),
});

/**
 * What was counted of whom within the last minute, when all processes count together
 * (`RATE_LIMITS=postgres`).
 */
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
