import { type SQL, sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign } from '../../db/insert-from.ts';
import { outboxChannel } from '../../db/notify-channels.ts';
import { runStatement } from '../../db/run-statement.ts';
import { deliveries, deliveryAttempts, deliveryRecipients, mailboxes, tickets } from '../../db/tables.ts';
import { appendDeliveryEvents } from '../../events/append-events.ts';
import { sparingOthers } from '../../platform/batcher.ts';
import { a, d, m, r } from '../table-aliases.ts';
import { type Claim, giveUpAfterDays, leaseFor } from './claim.ts';
import { isUnsettled, isWaiting, waitingAgain } from './delivery-states.ts';
import { unknownOutcomes } from './explain-failure.ts';

/*
 * Leases of attempts: released by a worker that ends, renewed by a live one, recovered from a dead one. Also
 * here: leases and other waits are shortened after the database's clock was set back.
 */

type Owned = Pick<Claim, 'id' | 'token'>;

const rowsOf = (claims: readonly Owned[]): SQL => sql`
  unnest(
    ${sql.param(claims.map(({ id }) => id))}::int[],
    ${sql.param(claims.map(({ token }) => token))}::uuid[]
  ) as i (id, token)`;

/**
 * Gives back claims whose attempts have not begun: those still at phase CONNECT wait again, and the workers
 * are woken. Others stay as they are. Events are not written.
 */
export async function releaseClaims(client: postgres.Sql, claims: readonly Owned[]): Promise<void> {
  await runStatement(
    client,
    sql`
    with input as (select * from ${rowsOf(claims)}), released as (
      update ${deliveries} d set ${assign(deliveries, {
        state: waitingAgain,
        attempt: null,
        phase: null,
        leaseUntil: null,
      })}
      from input i where ${d.id} = i.id and ${d.attempt} = i.token and ${d.phase} = 'CONNECT'
      returning ${d.id}
    ), ended as (
      update ${deliveryAttempts} a set ${assign(deliveryAttempts, {
        endedAt: sql`clock_timestamp()`,
        outcome: 'QUEUED',
        reply: 'released by a worker that stopped',
      })}
      from input i join released r on r.id = i.id where ${a.deliveryId} = i.id and ${a.token} = i.token
    )
    select pg_notify(${outboxChannel}, '') from (select count(*) as n from released) r where r.n > 0`,
  );
}

/**
 * Renews the leases of running attempts: they end `leaseSeconds` from now, by the database's clock. One whose
 * delivery is locked is renewed the next time. One that lost its delivery stays lost, which is not reported.
 */
export async function renewLeases(
  client: postgres.Sql,
  claims: readonly Owned[],
  leaseSeconds: number,
): Promise<void> {
  await runStatement(
    client,
    sql`
    with owned as (
      select ${d.id} from ${deliveries} d join ${rowsOf(claims)} on i.id = ${d.id} and i.token = ${d.attempt}
      where ${d.state} = 'TRANSMITTING' order by ${d.id} for no key update of d skip locked
    )
    update ${deliveries} d set ${assign(deliveries, { leaseUntil: leaseFor(leaseSeconds) })}
    from owned o where ${d.id} = o.id`,
  );
}

/** A recovered delivery and its new state. */
export interface Recovered {
  readonly id: number;
  readonly state: 'QUEUED' | 'DEFERRED' | 'OUTCOME_UNKNOWN';
}

const isExpired = sql`${d.state} = 'TRANSMITTING' and ${d.leaseUntil} < clock_timestamp()`;
/** Most deliveries that one call recovers. */
const recoveredAtOnce = 500;

/**
 * Recovers attempts whose lease expired, of any worker: before BODY the delivery waits again and is due at
 * once, without an event; at BODY its outcome is unknown and the ticket gets one. Locked deliveries, and
 * those of locked tickets, are left to the next round, and so are those beyond 500. A delivery that the
 * server refuses to recover, perhaps because its ticket is damaged, holds up no other.
 * @param failed called with the id of each of these
 * @returns those that were recovered
 */
export async function recoverExpired(
  client: postgres.Sql,
  now: Date,
  failed: (id: number, error: unknown) => void,
): Promise<Recovered[]> {
  const expired = await runStatement<{ id: number }>(
    client,
    sql`select ${d.id} from ${deliveries} d where ${isExpired}
      order by ${d.leaseUntil} limit ${recoveredAtOnce}`,
  );
  const ids = expired.map(({ id }) => id);
  return sparingOthers(ids, (some) => recover(client, now, some), failed);
}

function recover(client: postgres.Sql, now: Date, ids: readonly number[]): Promise<Recovered[]> {
  return runStatement<Recovered>(
    client,
    sql`
    with expired as (
      select ${d.id}, ${d.ticketId} as ticket_id from ${deliveries} d
      where ${d.id} = any (${sql.param(ids)}::int[]) and ${isExpired}
    ), locked_tickets as (
      select ${tickets.id}, ${tickets.lastEventNumber} as last_event_number from ${tickets}
      where ${tickets.id} = any (array(select ticket_id from expired))
      order by ${tickets.id} for no key update skip locked
    ), owned as (
      select ${d.id}, ${d.ticketId} as ticket_id, ${d.messageId} as message_id, ${d.attempts} as attempts,
        ${d.phase} as phase
      from ${deliveries} d
      where ${d.id} = any (array(select id from expired)) and ${d.ticketId} in (select id from locked_tickets)
        and ${isExpired}
      order by ${d.ticketId}, ${d.id} for no key update of d skip locked
    ), recovered as (
      update ${deliveries} d set ${assign(deliveries, {
        state: sql`case when o.phase = 'BODY' then 'OUTCOME_UNKNOWN' else ${waitingAgain} end`,
        attempt: null,
        phase: null,
        leaseUntil: null,
        dueAt: sql`
          case when o.phase = 'BODY' then ${d.dueAt} else least(${d.dueAt}, ${now}::timestamptz) end`,
        failure: sql`case when o.phase = 'BODY' then ${unknownOutcomes.workerEnded} end`,
        settledAt: sql`case when o.phase = 'BODY' then clock_timestamp() end`,
      })}
      from owned o where ${d.id} = o.id
      returning ${d.id}, ${d.state}
    ), answered as (
      update ${deliveryRecipients} r set ${assign(deliveryRecipients, {
        state: 'OUTCOME_UNKNOWN',
        smtpReply: unknownOutcomes.workerEnded,
        sentAt: sql`clock_timestamp()`,
      })}
      from owned o where ${r.deliveryId} = o.id and o.phase = 'BODY' and ${isUnsettled}
    ), ended as (
      update ${deliveryAttempts} a set ${assign(deliveryAttempts, {
        phase: sql`o.phase`,
        endedAt: sql`clock_timestamp()`,
        outcome: sql`case when o.phase = 'BODY' then 'OUTCOME_UNKNOWN' else 'QUEUED' end`,
        reply: sql`case when o.phase = 'BODY' then 'the worker ended' else 'its lease expired' end`,
      })}
      from owned o where ${a.deliveryId} = o.id and ${a.number} = o.attempts
    ), happened as (
      select ticket_id, id as delivery_id, message_id, 'DELIVERY_OUTCOME_UNKNOWN' as type,
        null::int as actor_id
      from owned where phase = 'BODY'
    ), ${appendDeliveryEvents}
    select id, state, (select count(*) from woken) as woken from recovered`,
  );
}

/** Longest wait of a mail that is not held, in seconds: the longest back-off and a minute. */
const longestWaitSeconds = 3660;
/** A mailbox with a rate is ahead of the clock by a minute at most. */
const longestPaceSeconds = 120;

const inSeconds = (now: Date, seconds: number): SQL =>
  sql`${now}::timestamptz + make_interval(secs => ${seconds}::float8)`;

/**
 * Shortens waits that are longer than any that could begin now, because the database's clock was set back
 * after they began: leases of more than twice `leaseSeconds` to `leaseSeconds`; mails that wait, and are not
 * held, for more than 61 minutes to `now`, and their retries to 5 days from `now`; mailboxes whose rate makes
 * them wait for more than 2 minutes to `now`. Without it they wait until the clock has caught up. Held mails
 * keep the time that their authors chose. A call shortens at most 500 leases, and 500 mails of each mailbox;
 * the others, and locked rows, are left to the next round.
 */
export async function shortenWaits(client: postgres.Sql, now: Date, leaseSeconds: number): Promise<void> {
  await runStatement(
    client,
    sql`
    with leased as (
      select ${d.id} from ${deliveries} d
      where ${d.state} = 'TRANSMITTING' and ${d.leaseUntil} > ${leaseFor(2 * leaseSeconds)}
      limit 500 for no key update skip locked
    ), expiring as (
      -- Its worker may be alive, and renews it in time.
      update ${deliveries} d set ${assign(deliveries, { leaseUntil: leaseFor(leaseSeconds) })}
      from leased l where ${d.id} = l.id
    ), late as (
      select w.id from ${mailboxes} m cross join lateral (
        select ${d.id} from ${deliveries} d
        where ${d.mailboxId} = ${m.id} and ${isWaiting} and not ${d.awaitsScan} and ${d.state} <> 'HELD'
          and ${d.dueAt} > ${inSeconds(now, longestWaitSeconds)}
        limit 500 for no key update of d skip locked
      ) w
    ), due as (
      update ${deliveries} d set ${assign(deliveries, {
        dueAt: now,
        giveUpAt: sql`least(${d.giveUpAt}, ${now}::timestamptz + make_interval(days => ${giveUpAfterDays}))`,
      })}
      from late l where ${d.id} = l.id
    ), ahead as (
      select ${m.id} from ${mailboxes} m where ${m.pacedUntil} > ${inSeconds(now, longestPaceSeconds)}
      for no key update skip locked
    )
    update ${mailboxes} m set ${assign(mailboxes, { pacedUntil: now })} from ahead a where ${m.id} = a.id`,
  );
}
