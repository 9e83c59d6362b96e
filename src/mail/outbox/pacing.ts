import { type SQL, sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign } from '../../db/insert-from.ts';
import { run, statement } from '../../db/statement.ts';
import { deliveries, deliveryRecipients, mailboxes } from '../../db/tables.ts';
import { d, isUnsettled, isWaiting, m, r } from '../table-aliases.ts';

/**
 * How long a mail waits whose recipient has had their share of this hour, seconds; chance doubles it at most.
 */
const recipientPauseSeconds = 300;
/** Mails of a mailbox that are put off by one commit. */
const postponedAtOnce = 200;

/**
 * A step that lists who had as many mails within this hour as a mailbox allows to one recipient. It is not
 * run unless somebody asks it.
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

/** Whether a mail `d` of a mailbox `m` has a recipient who is at the cap. */
export const isAtCap: SQL = sql`
  exists (
    select from ${deliveryRecipients} r
    join at_cap c on c.mailbox_id = m.id and c.address = lower(${r.address})
    where ${r.deliveryId} = ${d.id} and ${isUnsettled})`;

/**
 * Makes workers take turns at mailboxes that count their mails to one recipient: a claim of theirs is made in
 * the same transaction, by a later statement, so that it sees what the last one took.
 * @returns the mailboxes whose turn it is; the others are another worker's
 */
export async function takeTurns(client: postgres.Sql): Promise<number[]> {
  const rows = await run<{ id: number }>(
    client,
    sql`
    select ${m.id} from ${mailboxes} m where ${m.ratePerRecipientHour} is not null
    order by ${m.id} for no key update skip locked`,
  );
  return rows.map(({ id }) => id);
}

/**
 * Puts off what would exceed a cap, so that it is not looked at again and again. That nothing exceeds it is
 * the claim's to see.
 */
export async function postpone(client: postgres.Sql, now: Date): Promise<void> {
  while ((await postponeSome(client, now)) >= postponedAtOnce);
}

async function postponeSome(client: postgres.Sql, now: Date): Promise<number> {
  const rows = await run(
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
      failure: 'Waits: the recipient has had as many mails this hour as the mailbox allows',
    })}
    from over o where ${d.id} = o.id
    returning ${d.id}`,
  );
  return rows.length;
}

const selectNextDue = statement<{ due: Date | null }, Record<string, never>>(sql`
  select min(greatest(n.due_at, case when ${m.ratePerMinute} is not null then ${m.pacedUntil} end)) as due
  from ${mailboxes} m cross join lateral (
    select ${d.dueAt} as due_at from ${deliveries} d
    where ${d.mailboxId} = ${m.id} and ${isWaiting} and not ${d.awaitsScan} order by ${d.dueAt} limit 1
  ) n`);

/**
 * Milliseconds from `now` until something may be due or a lease may have run out; undefined: nothing waits.
 */
export async function nextDue(client: postgres.Sql, now: Date): Promise<number | undefined> {
  const [row] = await selectNextDue(client, {});
  return row?.due == null ? undefined : Math.max(0, row.due.getTime() - now.getTime());
}

/**
 * Keeps what a mailbox's server said of the largest mail it takes (EHLO SIZE), so that the next one is
 * refused to its author's face.
 */
export async function learnSizeLimit(client: postgres.Sql, mailboxId: number, octets: number): Promise<void> {
  const limit = Math.min(octets, 2_147_483_647);
  await run(
    client,
    sql`
    update ${mailboxes} m set ${assign(mailboxes, { serverMaxMailBytes: limit })}
    where ${m.id} = ${mailboxId} and ${m.serverMaxMailBytes} is distinct from ${limit}`,
  );
}

/**
 * What a plain claim must not be made without: mailboxes that count their mails to one recipient, and
 * conditional mails that are due.
 */
export async function findSpecial(
  client: postgres.Sql,
  now: Date,
): Promise<{ counted: boolean; conditional: boolean }> {
  const [row] = await run<{ counted: boolean; conditional: boolean }>(
    client,
    sql`
    select exists (select from ${mailboxes} m where ${m.ratePerRecipientHour} is not null) as counted,
      exists (
        select from ${deliveries} d
        where ${d.cancelIf} <> '{}' and ${isWaiting} and not ${d.awaitsScan}
          and ${d.dueAt} <= ${now}::timestamptz and ${d.attempts} = 0
      ) as conditional`,
  );
  return row!;
}
