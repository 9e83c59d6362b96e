import { sql } from 'drizzle-orm';
import { integer, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { bytea, createdAt, id, instant } from './columns.ts';
import { users } from './people.ts';

export const mailboxes = pgTable(
  'mailboxes',
  {
    id: id(),
    address: text('address').notNull(),
    displayName: text('display_name').notNull(),
    signature: text('signature').notNull().default(''),
    /** `smtp:` or `smtps:` URL without password; null: the desk's own SMTP_URL. */
    smtpUrl: text('smtp_url'),
    /** AES-256-GCM under the key in MAILBOX_KEY; null: no password. */
    smtpPassword: bytea('smtp_password'),
    /** Largest mail as encoded, bytes. */
    maxMailBytes: integer('max_mail_bytes').notNull().default(26_214_400),
    /** What the mail server said in reply to EHLO (SIZE), bytes; null: not heard yet, or no limit. */
    serverMaxMailBytes: integer('server_max_mail_bytes'),
    /** Mails a minute at most; null: as fast as the server takes them. */
    ratePerMinute: integer('rate_per_minute'),
    /** When the next mail keeps to `ratePerMinute`: moved on by each claim, under this row's lock. */
    pacedUntil: instant('paced_until').notNull().defaultNow(),
    /** Mails an hour to one and the same recipient at most; null: any number. */
    ratePerRecipientHour: integer('rate_per_recipient_hour'),
    disabledAt: instant('disabled_at'),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('mailboxes_address_key').on(sql`lower(${t.address})`)],
);

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
