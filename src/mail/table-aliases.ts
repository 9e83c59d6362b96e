import { type Placeholder, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { attachments, deliveries, deliveryAttempts, deliveryRecipients, mailboxes } from '../db/tables.ts';

/* Table aliases and shared conditions of the ledger's statements. */

/** A delivery. */
export const d = alias(deliveries, 'd');
/** An earlier delivery of the same ticket. */
export const e = alias(deliveries, 'e');
/** A mailbox. */
export const m = alias(mailboxes, 'm');
/** A recipient of a delivery. */
export const r = alias(deliveryRecipients, 'r');
/** An attempt to send a delivery. */
export const a = alias(deliveryAttempts, 'a');
/** A file of a message. */
export const f = alias(attachments, 'f');

/** Whether a delivery waits to be sent. The text matches the predicates of its partial indexes. */
export const isWaiting: SQL = sql`${d.state} in ('QUEUED', 'HELD', 'DEFERRED')`;

/** Whether the mail is still to be sent to the recipient. */
export const isUnsettled: SQL = sql`${r.state} in ('PENDING', 'DEFERRED')`;

/** When a lease of so many seconds that begins now ends, by the database's clock. */
export const leaseFor = (seconds: number | Placeholder): SQL =>
  sql`clock_timestamp() + make_interval(secs => ${seconds}::float8)`;
