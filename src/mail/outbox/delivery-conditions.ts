import { type SQL, sql } from 'drizzle-orm';
import { deliveryRecipients } from '../../db/tables.ts';
import { d, r } from '../table-aliases.ts';

/* Conditions that several statements share. They need the aliases of table-aliases.ts. */

/** Whether a delivery waits to be sent. The text matches the predicates of its partial indexes. */
export const isWaiting: SQL = sql`${d.state} in ('QUEUED', 'HELD', 'DEFERRED')`;

/** Whether the mail is still to be sent to the recipient. */
export const isUnsettled: SQL = sql`${r.state} in ('PENDING', 'DEFERRED')`;

/**
 * The state of a mail that waits again after an attempt that sent nothing. It is DEFERRED if it was so before
 * the attempt, because the ticket's watchers were told so and get no event.
 */
export const waitingAgain: SQL = sql`case when exists (
    select from ${deliveryRecipients} r where ${r.deliveryId} = ${d.id} and ${r.state} = 'DEFERRED')
  then 'DEFERRED' else 'QUEUED' end`;
