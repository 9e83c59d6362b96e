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
import { unknownOutcomes } from '../explain-failure.ts';
import { findOutboxHome, setOutboxHome } from './home.ts';

/** Most deliveries that one statement changes. Their tickets stay locked until the commit. */
const atOnce = 500;

/** The result of a release. */
export interface Released {
  /**
   * Whether the database has moved or its timeline has changed since its home was recorded, so that the
   * outcome of mails under way became unknown. False after a rollback of its volume, which changes neither.
   */
  readonly restored: boolean;
  /** Number of deliveries that became OUTCOME_UNKNOWN. */
  readonly outcomeUnknown: number;
}

/**
 * Resumes sending, whatever held it: an operator's hold, or that the database was restored, copied or
 * promoted. This database becomes the outbox's home. If it was restored, copied or promoted, mails that were
 * being transmitted become OUTCOME_UNKNOWN with their events, because the original may have sent them. It may
 * have sent waiting mails too; only the operator can tell.
 * @param tx a transaction; until it ends, the tickets of changed mails are locked
 * @param doubt whether waiting mails become OUTCOME_UNKNOWN as well, and those under way whose worker is
 *   gone, for an operator to resolve one by one. Mails that are held until a later time stay held.
 */
export async function releaseOutbox(tx: postgres.Sql, doubt: boolean): Promise<Released> {
  await runStatement(tx, sql`select from ${outboxHomes} for update`);
  const { moved, timelineChanged, here } = await findOutboxHome(tx);
  const restored = moved || timelineChanged;
  const states: DeliveryState[] = [
    ...(restored || doubt ? (['TRANSMITTING'] as const) : []),
    ...(doubt ? (['QUEUED', 'DEFERRED', 'HELD'] as const) : []),
  ];
  let outcomeUnknown = 0;
  for (let chosen = atOnce; chosen === atOnce && states.length > 0; ) {
    const changed = await makeUnknown(tx, states, restored);
    chosen = changed.chosen;
    outcomeUnknown += changed.doubted;
  }
  await setOutboxHome(tx, here);
  return { restored, outcomeUnknown };
}

async function makeUnknown(
  tx: postgres.Sql,
  states: readonly DeliveryState[],
  restored: boolean,
): Promise<{ chosen: number; doubted: number }> {
  const why = restored ? unknownOutcomes.restored : unknownOutcomes.doubted;
  // In an original that is still at work, a worker may be sending it right now.
  const isGone = restored ? sql`true` : sql`(${d.state} <> 'TRANSMITTING' or ${d.leaseUntil} < now())`;
  const [counts] = await runStatement<{ chosen: number; doubted: number }>(
    tx,
    sql`
    with chosen as (
      select ${d.id}, ${d.ticketId} as ticket_id from ${deliveries} d
      where ${d.state} = any (${sql.param(states)}::text[]) and (${d.state} <> 'HELD' or ${d.dueAt} <= now())
        and ${isGone}
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
      where ${d.id} = c.id and ${d.state} = any (${sql.param(states)}::text[]) and ${isGone}
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
