import { alias } from 'drizzle-orm/pg-core';
import { attachments, deliveries, deliveryAttempts, deliveryRecipients, mailboxes } from '../db/tables.ts';

/* Aliases of tables in the statements that queue, claim and settle mails. */

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
