import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign } from '../../db/insert-from.ts';
import { prepareStatement } from '../../db/run-statement.ts';
import { deliveries, deliveryAttempts, deliveryRecipients, tickets } from '../../db/tables.ts';
import { appendDeliveryEvents } from '../../events/append-events.ts';
import { a, d, r } from '../table-aliases.ts';
import { waitingAgain } from './delivery-states.ts';
import type { Settlement } from './settlement.ts';

/*
 * The ledger of deliveries: one statement and one commit per step. The message's own commit inserts its
 * delivery. A delivery belongs to one attempt at a time, identified by its token, which fences every later
 * step:
 *
 *   QUEUED | HELD | DEFERRED --claim--> TRANSMITTING (CONNECT)
 *     --openBody--> TRANSMITTING (BODY) --settle--> SENT | …
 *
 * The source of the mail is stored between the first two steps.
 *
 * When a lease expires before BODY, the delivery waits again: no byte can have been sent, because the
 * fence precedes the first one. At BODY the outcome is unknown, and only an operator resolves it. Leases use
 * the database's clock, everything else uses `now`.
 */

const value = sql.placeholder;

/**
 * Result of a settlement. `LOCKED`: its ticket or delivery is locked, so nothing was written and the caller
 * retries it; the others do not wait. `OVERTAKEN`: another attempt owns the delivery.
 */
export type SettlementResult = 'WRITTEN' | 'LOCKED' | 'OVERTAKEN';

// The explicit ids keep every step on its index, whatever row count the planner estimates.
const those = sql`any (${value('ids')}::int[])`;

/** Whether the attempt of `i` owns the delivery, or was its last one before its outcome became unknown. */
const isOwn = sql`(
  ${d.attempt} = i.token
  or (${d.state} = 'OUTCOME_UNKNOWN' and i.state <> 'OUTCOME_UNKNOWN'
    and i.token = (select ${a.token} from ${deliveryAttempts} a
      where ${a.deliveryId} = ${d.id} and ${a.number} = ${d.attempts})))`;

const writeOutcomes = prepareStatement<
  { id: number; locked: boolean },
  { ids: number[]; settlements: string }
>(sql`
    with input as (
      select * from json_to_recordset(${value('settlements')}::text::json) as i (
        id int, token uuid, state text, event text, phase text, reply text, failure text, "dueAt" timestamptz,
        "bodyAt" timestamptz, recipients json)
    ), locked_tickets as (
      select ${tickets.id}, ${tickets.lastEventNumber} from ${tickets}
      where ${tickets.id} = any (array(select ${d.ticketId} from ${deliveries} d where ${d.id} = ${those}))
      order by ${tickets.id} for no key update skip locked
    ), owned as (
      select ${d.ticketId}, ${d.messageId}, ${d.state} as was, i.*
      from ${deliveries} d join input i on i.id = ${d.id}
      where ${d.id} = ${those} and ${d.ticketId} in (select id from locked_tickets) and ${isOwn}
      order by ${d.ticketId}, ${d.id} for no key update of d skip locked
    ), put_off as (
      select ${d.id} from ${deliveries} d join input i on i.id = ${d.id}
      where ${d.id} = ${those} and ${d.id} not in (select id from owned)
        and (${isOwn} or ${d.ticketId} not in (select id from locked_tickets))
    ), settled as (
      update ${deliveries} d set ${assign(deliveries, {
        state: sql`case when o.state = 'QUEUED' then ${waitingAgain} else o.state end`,
        attempt: null,
        phase: null,
        leaseUntil: null,
        failure: sql`o.failure`,
        dueAt: sql`coalesce(o."dueAt", ${d.dueAt})`,
        settledAt: sql`case when o."dueAt" is null then clock_timestamp() end`,
      })}
      from owned o where ${d.id} = o.id
    ), answered as (
      update ${deliveryRecipients} r set ${assign(deliveryRecipients, {
        state: sql`x.state`,
        smtpReply: sql`x.reply`,
        enhancedCode: sql`x.code`,
        sentAt: sql`
          case when x.state in ('SENT', 'OUTCOME_UNKNOWN') then clock_timestamp() else ${r.sentAt} end`,
      })}
      from owned o
      cross join lateral json_to_recordset(o.recipients)
        as x (position int, state text, reply text, code text)
      where ${r.deliveryId} = ${those} and ${r.deliveryId} = o.id and ${r.position} = x.position
    ), ended as (
      update ${deliveryAttempts} a set ${assign(deliveryAttempts, {
        phase: sql`i.phase`,
        bodyAt: sql`i."bodyAt"`,
        endedAt: sql`clock_timestamp()`,
        outcome: sql`i.state`,
        // Whatever ended an attempt before its fence, a redaction or the recovery of an expired lease, has
        // recorded why. The worker learns only that the attempt was ended.
        reply: sql`case when i.state = 'QUEUED' and i.id not in (select id from owned)
          then coalesce(${a.reply}, i.reply) else i.reply end`,
      })}
      from input i where ${a.deliveryId} = ${those} and ${a.deliveryId} = i.id and ${a.token} = i.token
        and i.id not in (select id from put_off)
    ), happened as (
      select ticket_id, id as delivery_id, message_id, type, null::int as actor_id
      from owned cross join lateral (
        -- Watchers were told that the outcome is unknown.
        select coalesce(event, case when was = 'OUTCOME_UNKNOWN' then 'DELIVERY_DEFERRED' end) as type) e
      where type is not null
    ), ${appendDeliveryEvents}
    select id, false as locked, (select count(*) from woken) as woken from owned
    union all
    select id, true, null from put_off`);

/**
 * Writes the outcomes of attempts with their recipients and events in one commit. A settlement with the state
 * QUEUED puts its delivery back to waiting, also if the fence was committed although the mail did not begin.
 * An overtaken attempt is recorded in the list of attempts and changes nothing else. An attempt that was
 * recovered at BODY replaces OUTCOME_UNKNOWN with its actual outcome.
 * @returns the result for each settlement, in order
 */
export async function settle(
  client: postgres.Sql,
  settlements: readonly Settlement[],
): Promise<SettlementResult[]> {
  const ids = settlements.map(({ id }) => id);
  const rows = await writeOutcomes(client, { ids, settlements: JSON.stringify(settlements) });
  const results = new Map(rows.map(({ id, locked }) => [id, locked ? 'LOCKED' : 'WRITTEN'] as const));
  return ids.map((id) => results.get(id) ?? 'OVERTAKEN');
}
