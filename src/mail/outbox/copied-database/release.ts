import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign } from '../../../db/insert-from.ts';
import { runStatement } from '../../../db/run-statement.ts';
import {
  deliveries,
  deliveryAttempts,
  deliveryRecipients,
  outboxHomes,
  tickets,
} from '../../../db/tables.ts';
import { appendDeliveryEvents } from '../../../events/append-events.ts';
import type { DeliveryState } from '../../../platform/vocabulary.ts';
import { a, d, r } from '../../table-aliases.ts';
import { isUnsettled } from '../delivery-states.ts';
import { findOutboxHome, setOutboxHome } from './home.ts';

/** Most deliveries that one statement changes. Their tickets stay locked until the commit. */
const atOnce = 500;
const why = 'The database was restored or copied: the original may have sent this mail';

/** The result of a release. */
export interface Released {
  /**
   * Whether this database is a copy or was rolled back, so that the outcome of mails under way is unknown.
   */
  readonly restored: boolean;
  /** Number of deliveries that became OUTCOME_UNKNOWN. */
  readonly outcomeUnknown: number;
}

/**
 * Resumes sending. In a restored database, the outcome of mails that were being transmitted is unknown,
 * because the original continued. Waiting mails may have been sent there too; only the operator knows.
 * @param doubt whether due mails become OUTCOME_UNKNOWN as well, for an operator to resolve one by one
 */
export async function releaseOutbox(tx: postgres.Sql, doubt: boolean): Promise<Released> {
  await runStatement(tx, sql`select from ${outboxHomes} for update`);
  const { moved, timelineChanged, here } = await findOutboxHome(tx);
  const restored = moved || timelineChanged;
  const states: DeliveryState[] = [
    ...(restored ? (['TRANSMITTING'] as const) : []),
    ...(doubt ? (['QUEUED', 'DEFERRED', 'HELD'] as const) : []),
  ];
  let outcomeUnknown = 0;
  for (let chosen = atOnce; chosen === atOnce && states.length > 0; ) {
    const changed = await makeUnknown(tx, states);
    chosen = changed.chosen;
    outcomeUnknown += changed.doubted;
  }
  await setOutboxHome(tx, here);
  return { restored, outcomeUnknown };
}

async function makeUnknown(
  tx: postgres.Sql,
  states: readonly DeliveryState[],
): Promise<{ chosen: number; doubted: number }> {
  const [counts] = await runStatement<{ chosen: number; doubted: number }>(
    tx,
    sql`
    with chosen as (
      select ${d.id}, ${d.ticketId} as ticket_id from ${deliveries} d
      where ${d.state} = any (${sql.param(states)}::text[]) and (${d.state} <> 'HELD' or ${d.dueAt} <= now())
      order by ${d.id} limit ${atOnce}
    ), locked_tickets as (
      select ${tickets.id}, ${tickets.lastEventNumber} as last_event_number from ${tickets}
      where ${tickets.id} = any (array(select ticket_id from chosen)) order by ${tickets.id} for no key update
    ), doubted as (
      update ${deliveries} d set ${assign(deliveries, {
        state: 'OUTCOME_UNKNOWN',
        attempt: null,
        phase: null,
        leaseUntil: null,
        failure: why,
        settledAt: sql`clock_timestamp()`,
        cancelIf: [],
      })}
      from chosen c join locked_tickets t on t.id = c.ticket_id
      -- A worker may have settled it while the ticket's lock was waited for.
      where ${d.id} = c.id and ${d.state} = any (${sql.param(states)}::text[])
      returning ${d.id}, ${d.ticketId} as ticket_id, ${d.messageId} as message_id
    ), recipients as (
      update ${deliveryRecipients} r set ${assign(deliveryRecipients, {
        state: 'OUTCOME_UNKNOWN',
        smtpReply: why,
        sentAt: sql`clock_timestamp()`,
      })}
      from doubted o where ${r.deliveryId} = o.id and ${isUnsettled}
    ), ended as (
      update ${deliveryAttempts} a set ${assign(deliveryAttempts, {
        endedAt: sql`clock_timestamp()`,
        outcome: 'OUTCOME_UNKNOWN',
        reply: why,
      })}
      from doubted o where ${a.deliveryId} = o.id and ${a.endedAt} is null
    ), happened as (
      select ticket_id, id as delivery_id, message_id, 'DELIVERY_OUTCOME_UNKNOWN' as type,
        null::int as actor_id
      from doubted
    ), ${appendDeliveryEvents}
    select (select count(*) from chosen)::int as chosen, (select count(*) from doubted)::int as doubted,
      (select count(*) from woken) as woken`,
  );
  return counts!;
}
