import { type Placeholder, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import { attachments, deliveries, deliveryAttempts, deliveryRecipients, mailboxes } from '../db/tables.ts';

/* Table aliases and shared conditions of the ledger's statements. */

/** A delivery, and an earlier one of the same ticket. */
export const d = alias(deliveries, 'd');
export const e = alias(deliveries, 'e');
export const m = alias(mailboxes, 'm');
export const r = alias(deliveryRecipients, 'r');
export const a = alias(deliveryAttempts, 'a');
/** A file of a message. */
export const f = alias(attachments, 'f');

/** Whether a delivery waits to be sent. The text matches the predicates of its partial indexes. */
export const isWaiting: SQL = sql`${d.state} in ('QUEUED', 'HELD', 'DEFERRED')`;

/** Whether the mail is still to be sent to the recipient. */
export const isUnsettled: SQL = sql`${r.state} in ('PENDING', 'DEFERRED')`;

export const leaseFor = (seconds: number | Placeholder): SQL =>
  sql`clock_timestamp() + make_interval(secs => ${seconds}::float8)`;
