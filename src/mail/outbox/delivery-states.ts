import { type SQL, sql } from 'drizzle-orm';
import { deliveryRecipients } from '../../db/tables.ts';
import { d, r } from '../table-aliases.ts';

/*
 * SQL about the states of deliveries that several statements share. It needs the aliases of table-aliases.ts.
 */

/** SQL: whether the delivery `d` waits to be sent. The text matches the predicates of its partial indexes. */
export const isWaiting: SQL = sql`${d.state} in ('QUEUED', 'HELD', 'DEFERRED')`;

/** SQL: whether the mail is still to be sent to the recipient `r`. */
export const isUnsettled: SQL = sql`${r.state} in ('PENDING', 'DEFERRED')`;

/**
 * SQL: the state of the delivery `d` when it goes back to waiting after an attempt that sent nothing. It is
 * DEFERRED if it was DEFERRED before the attempt, because the ticket's watchers know that state and get no
 * new event. In all other cases it is QUEUED.
 */
export const waitingAgain: SQL = sql`case when exists (
    select from ${deliveryRecipients} r where ${r.deliveryId} = ${d.id} and ${r.state} = 'DEFERRED')
  then 'DEFERRED' else 'QUEUED' end`;
