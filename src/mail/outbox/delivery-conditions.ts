import { type SQL, sql } from 'drizzle-orm';
import { d, r } from '../table-aliases.ts';

/* Conditions that several statements share. They need the aliases of table-aliases.ts. */

/** Whether a delivery waits to be sent. The text matches the predicates of its partial indexes. */
export const isWaiting: SQL = sql`${d.state} in ('QUEUED', 'HELD', 'DEFERRED')`;

/** Whether the mail is still to be sent to the recipient. */
export const isUnsettled: SQL = sql`${r.state} in ('PENDING', 'DEFERRED')`;
