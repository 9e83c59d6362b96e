import type postgres from 'postgres';
import { appendDeliveryEvents } from '../events/append.ts';
import type { DeliveryState } from '../vocabulary.ts';
import { findHome, settleHere } from './home.ts';

/** Deliveries that one statement changes at most: their tickets are locked until the commit all the same. */
const atOnce = 500;
const why = 'The database was restored or copied: the desk that it was may have sent this mail';

export interface Released {
  /** Whether this database is a copy, or was put back: then what was under way in it is not known. */
  readonly restored: boolean;
  readonly outcomeUnknown: number;
}

/**
 * Lets mails go again. In a database that was restored, mails that were being transmitted have an outcome that nobody
 * knows, however far they had come: they went on where the copy was made. So may all that waited have, which only whoever
 * restored it can tell.
 * @param doubt whether what was due counts as unknown too, for an operator to resolve one by one
 */
export async function releaseOutbox(tx: postgres.Sql, doubt: boolean): Promise<Released> {
  await tx`select from outbox_homes for update`;
  const { moved, turned, here } = await findHome(tx);
  const restored = moved || turned;
  const states: DeliveryState[] = [
    ...(restored ? (['TRANSMITTING'] as const) : []),
    ...(doubt ? (['QUEUED', 'DEFERRED', 'HELD'] as const) : []),
  ];
  let outcomeUnknown = 0;
  for (let changed = atOnce; changed === atOnce && states.length > 0; outcomeUnknown += changed)
    changed = await makeUnknown(tx, states);
  await settleHere(tx, here);
  return { restored, outcomeUnknown };
}

async function makeUnknown(tx: postgres.Sql, states: readonly DeliveryState[]): Promise<number> {
  const changed = await tx`
    with chosen as (
      select d.id, d.ticket_id from deliveries d
      where d.state = any (${[...states]}::text[]) and (d.state <> 'HELD' or d.due_at <= now())
      order by d.id limit ${atOnce}
    ), locked_tickets as (
      select t.id, t.last_event_number from tickets t
      where t.id = any (array(select ticket_id from chosen)) order by t.id for no key update
    ), doubted as (
      update deliveries d
      set state = 'OUTCOME_UNKNOWN', attempt = null, phase = null, lease_until = null, failure = ${why},
        settled_at = clock_timestamp(), cancel_if = '{}'
      from chosen c join locked_tickets t on t.id = c.ticket_id where d.id = c.id
      returning d.id, d.ticket_id, d.message_id
    ), recipients as (
      update delivery_recipients r set state = 'OUTCOME_UNKNOWN', smtp_reply = ${why}, sent_at = clock_timestamp()
      from doubted d where r.delivery_id = d.id and r.state in ('PENDING', 'DEFERRED')
    ), ended as (
      update delivery_attempts a set ended_at = clock_timestamp(), outcome = 'OUTCOME_UNKNOWN', reply = ${why}
      from doubted d where a.delivery_id = d.id and a.ended_at is null
    ), happened as (
      select ticket_id, id as delivery_id, message_id, 'DELIVERY_OUTCOME_UNKNOWN' as type, null::int as actor_id
      from doubted
    ), ${appendDeliveryEvents(tx)}
    select id, (select count(*) from woken) as woken from doubted`;
  return changed.length;
}
