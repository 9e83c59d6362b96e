import { sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { assign } from '../../db/insert-from.ts';
import { runStatement } from '../../db/run-statement.ts';
import { deliveries, deliveryRecipients, mailboxes, messages, tickets, users } from '../../db/tables.ts';
import { appendDeliveryEvents } from '../../events/append-events.ts';
import { sparingOthers } from '../../platform/batcher.ts';
import { d, m, r } from '../table-aliases.ts';
import { isUnsettled, isWaiting } from './delivery-states.ts';

/** Most conditional mails of a mailbox that one transaction checks. */
const atOnce = 20;
/** Seconds that a mail which cannot be cancelled is postponed. */
const postponedSeconds = 300;

/**
 * Checks due mails that have a `cancelIf` and have never been tried, at most 20 of each mailbox. Cancels
 * those that have been answered, and appends an event for each. A mail is answered when a public message
 * comes after its own in the ticket, by a user of a role that `cancelIf` names, even the mail's own author.
 * The caller must claim the others in the same transaction, because only the locks on their tickets keep a
 * reply from arriving in between. Not checked are mails beyond the 20, mails of tickets that another
 * transaction has locked, mails of a mailbox that its rate makes wait, mails that await a scan, and mails
 * that the server refuses to cancel, perhaps because their ticket is damaged: these are postponed by five
 * minutes, with the reason. `claim` leaves all of them out, as they are not in `checkedMails`.
 * @param failed called with the id of each mail that cannot be cancelled
 * @returns the ids of all mails that were checked, for `checkedMails` of `claim`. The cancelled ones are
 *   among them, and are not waiting any more, so `claim` does not take them
 */
export async function cancelAnsweredMails(
  tx: postgres.TransactionSql,
  now: Date,
  failed: (id: number, error: unknown) => void,
): Promise<number[]> {
  const client = tx as unknown as postgres.Sql;
  const due = await runStatement<{ id: number; ticketId: number }>(
    client,
    sql`
    select d.id, d."ticketId"
    from ${mailboxes} m cross join lateral (
      select ${d.id}, ${d.ticketId} as "ticketId" from ${deliveries} d
      where ${d.mailboxId} = ${m.id} and ${d.cancelIf} <> '{}' and ${isWaiting} and not ${d.awaitsScan}
        and ${d.dueAt} <= ${now}::timestamptz and ${d.attempts} = 0
      order by ${d.dueAt}, ${d.id} limit ${atOnce}
    ) d
    where ${m.ratePerMinute} is null or ${m.pacedUntil} <= ${now}::timestamptz`,
  );
  if (due.length === 0) return [];
  const locked = await runStatement<{ id: number }>(
    client,
    sql`
    select ${tickets.id} from ${tickets}
    where ${tickets.id} = any (${sql.param(due.map(({ ticketId }) => ticketId))}::int[])
    order by ${tickets.id} for no key update skip locked`,
  );
  const held = new Set(locked.map(({ id }) => id));
  const ids = due.filter(({ ticketId }) => held.has(ticketId)).map(({ id }) => id);
  const postponed: number[] = [];
  const checked = await sparingOthers(
    ids,
    async (some) => {
      await tx.savepoint((part) => cancelIfAnswered(part as unknown as postgres.Sql, some));
      return some;
    },
    (id, error) => {
      failed(id, error);
      postponed.push(id);
    },
  );
  if (postponed.length > 0) await postpone(client, postponed, now);
  return checked;
}

/** So that the next rounds do not meet it again at once. */
const postpone = (client: postgres.Sql, ids: readonly number[], now: Date) =>
  runStatement(
    client,
    sql`
    update ${deliveries} d set ${assign(deliveries, {
      dueAt: sql`${now}::timestamptz + make_interval(secs => ${postponedSeconds})`,
      failure: 'Waiting: it cannot be checked whether someone replied; the log of the gateway says why',
    })}
    where ${d.id} = any (${sql.param(ids)}::int[]) and ${isWaiting}`,
  );

const reply = alias(messages, 'reply');
const author = alias(users, 'author');

/** Cancels the deliveries whose conditions hold. The caller holds their tickets' locks. */
async function cancelIfAnswered(client: postgres.Sql, ids: readonly number[]): Promise<void> {
  const those = sql`any (${sql.param(ids)}::int[])`;
  await runStatement(
    client,
    sql`
    with locked_tickets as (
      select ${tickets.id}, ${tickets.lastEventNumber} as last_event_number from ${tickets}
      where ${tickets.id} in (select ${d.ticketId} from ${deliveries} d where ${d.id} = ${those})
      order by ${tickets.id} for no key update
    ), answered as (
      select ${d.id}, ${d.ticketId} as ticket_id, ${d.messageId} as message_id from ${deliveries} d
      where ${d.id} = ${those} and ${isWaiting}
        and exists (
          select from ${messages} reply join ${users} author on ${author.id} = ${reply.authorId}
          where ${reply.ticketId} = ${d.ticketId} and ${reply.id} > ${d.messageId}
            and ${reply.visibility} = 'PUBLIC' and ${author.role} || '_REPLIED' = any (${d.cancelIf}))
      order by ${d.id} for no key update of d
    ), cancelled as (
      update ${deliveries} d set ${assign(deliveries, {
        state: 'CANCELLED',
        settledAt: sql`clock_timestamp()`,
        failure: 'Not sent: someone replied first',
      })}
      from answered a where ${d.id} = a.id
    ), recipients as (
      update ${deliveryRecipients} r set ${assign(deliveryRecipients, { state: 'CANCELLED' })} from answered a
      where ${r.deliveryId} = a.id and ${isUnsettled}
    ), happened as (
      select ticket_id, id as delivery_id, message_id, 'DELIVERY_CANCELLED' as type, null::int as actor_id
      from answered
    ), ${appendDeliveryEvents}
    select (select count(*) from woken) as woken`,
  );
}
