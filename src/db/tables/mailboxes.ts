import { sql } from 'drizzle-orm';
import { integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { bytea, createdAt, id, instant, now } from './column-types.ts';
import { users } from './people.ts';

/** The desk's mailboxes: addresses that operators send mail from, with their SMTP settings and limits. */
export const mailboxes = pgTable(
  'mailboxes',
  {
    id: id(),
    address: text('address').notNull(),
    displayName: text('display_name').notNull(),
    /** Plain text below each mail; empty: none. */
    signature: text('signature').notNull().default(''),
    /** `smtp:` or `smtps:` URL without a password; null: the desk's SMTP_URL. */
    smtpUrl: text('smtp_url'),
    /** Encrypted with AES-256-GCM and the key in MAILBOX_KEY; null: no password. */
    smtpPassword: bytea('smtp_password'),
    /** Maximum size of an encoded mail, bytes. */
    maxMailBytes: integer('max_mail_bytes').notNull().default(26_214_400),
    /** SIZE in the mail server's reply to EHLO, bytes; null: unknown, or no limit. */
    serverMaxMailBytes: integer('server_max_mail_bytes'),
    /** Maximum mails per minute; null: unlimited. */
    ratePerMinute: integer('rate_per_minute'),
    /** When `ratePerMinute` allows the next mail. Each claim advances it, under this row's lock. */
    pacedUntil: instant('paced_until').notNull().default(now),
    /** Maximum mails per hour to one recipient; null: unlimited. */
    ratePerRecipientHour: integer('rate_per_recipient_hour'),
    /** Null: in use. */
    disabledAt: instant('disabled_at'),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('mailboxes_address_key').on(sql`lower(${t.address})`)],
);

/** Which operators may send from which mailbox. */
export const mailboxGrants = pgTable(
  'mailbox_grants',
  {
    mailboxId: integer('mailbox_id')
      .notNull()
      .references(() => mailboxes.id, { onDelete: 'cascade' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.mailboxId, t.userId] })],
);
