import { type SQL, sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign } from '../../db/insert-from.ts';
import { runStatement } from '../../db/run-statement.ts';
import { deliveries, deliveryRecipients, mailboxes } from '../../db/tables.ts';
import { d, m, r } from '../table-aliases.ts';
import { isUnsettled, isWaiting } from './delivery-states.ts';

/** Seconds that a mail is postponed when its recipient is at the cap. Jitter adds up to as much again. */
const recipientPauseSeconds = 300;
/** Most mails of a mailbox that one commit postpones. */
const postponedAtOnce = 200;

/**
 * SQL for the step `at_cap` (mailbox_id, address), which lists the recipients at their mailbox's hourly cap.
 * Addresses are in lower case. PostgreSQL runs it only if the statement uses it.
 */
export const atCapStep = (now: SQL): SQL => sql`
  at_cap as materialized (
    select ${m.id} as mailbox_id, lower(${r.address}) as address
    from ${deliveryRecipients} r
    join ${deliveries} d on ${d.id} = ${r.deliveryId}
    join ${mailboxes} m on ${m.id} = ${d.mailboxId}
    where ${r.sentAt} > ${now} - interval '1 hour' and ${m.ratePerRecipientHour} is not null
    group by ${m.id}, lower(${r.address}) having count(*) >= ${m.ratePerRecipientHour}
  )`;

/**
 * SQL: whether a mail `d` of a mailbox `m` is still to be sent to a recipient at the cap. It needs
 * `atCapStep`.
 */
export const isAtCap: SQL = sql`
  exists (
    select from ${deliveryRecipients} r
    join at_cap c on c.mailbox_id = m.id and c.address = lower(${r.address})
    where ${r.deliveryId} = ${d.id} and ${isUnsettled})`;

/**
 * Locks the mailboxes with a cap per recipient. The caller claims their mails in the same transaction by a
 * later statement, which sees the previous worker's claims.
 * @returns the ids of the locked mailboxes; one that another worker has locked is left out
 */
export async function lockCappedMailboxes(client: postgres.Sql): Promise<number[]> {
  const rows = await runStatement<{ id: number }>(
    client,
    sql`
    select ${m.id} from ${mailboxes} m where ${m.ratePerRecipientHour} is not null
    order by ${m.id} for no key update skip locked`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Postpones all due mails that have a recipient at the cap to 5 to 10 minutes from `now`, so that claims do
 * not scan them again, and records why. Locked mails and those that await a scan are left as they are. The
 * cap itself is enforced by the claim. At most 200 mails of each mailbox are written by one statement: not in
 * a transaction, each commits.
 */
export async function postponeCapped(client: postgres.Sql, now: Date): Promise<void> {
  while ((await postponeSome(client, now)) >= postponedAtOnce);
}

async function postponeSome(client: postgres.Sql, now: Date): Promise<number> {
  const rows = await runStatement(
    client,
    sql`
    with ${atCapStep(sql`${now}::timestamptz`)}, over as (
      select d.id
      from ${mailboxes} m
      cross join lateral (
        select ${d.id} from ${deliveries} d
        where ${d.mailboxId} = ${m.id} and ${isWaiting} and not ${d.awaitsScan}
          and ${d.dueAt} <= ${now}::timestamptz and ${isAtCap}
        order by ${d.dueAt}, ${d.id} limit ${postponedAtOnce}
        for no key update of d skip locked
      ) d
      where ${m.ratePerRecipientHour} is not null
    )
    update ${deliveries} d set ${assign(deliveries, {
      dueAt: sql`${now}::timestamptz + make_interval(secs => ${recipientPauseSeconds} * (1 + random()))`,
      failure: 'Waiting: the recipient has had as many mails this hour as the mailbox allows',
    })}
    from over o where ${d.id} = o.id
    returning ${d.id}`,
  );
  return rows.length;
}
