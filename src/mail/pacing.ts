import type postgres from 'postgres';

/** How long a mail waits whose recipient has had their share of this hour, seconds; chance doubles it at most. */
const recipientPauseSeconds = 300;
/** Mails of a mailbox that are put off by one commit. */
const postponedAtOnce = 200;

/** A step that lists who had as many mails within this hour as a mailbox allows to one recipient. It is not run unless somebody asks it. */
export const atCapStep = (sql: postgres.Sql, now: Date) => sql`
  at_cap as materialized (
    select m.id as mailbox_id, lower(r.address) as address
    from delivery_recipients r join deliveries d on d.id = r.delivery_id join mailboxes m on m.id = d.mailbox_id
    where r.sent_at > ${now}::timestamptz - interval '1 hour' and m.rate_per_recipient_hour is not null
    group by m.id, lower(r.address) having count(*) >= m.rate_per_recipient_hour
  )`;

/** Whether a mail `d` of a mailbox `m` has a recipient who is at the cap. */
export const isAtCap = (sql: postgres.Sql) => sql`
  exists (
    select from delivery_recipients r join at_cap c on c.mailbox_id = m.id and c.address = lower(r.address)
    where r.delivery_id = d.id and r.state in ('PENDING', 'DEFERRED'))`;

/**
 * Makes workers take turns at mailboxes that count their mails to one recipient: a claim of theirs is made in the same transaction, by a
 * later statement, so that it sees what the last one took.
 * @returns the mailboxes whose turn it is; the others are another worker's
 */
export async function takeTurns(sql: postgres.Sql): Promise<number[]> {
  const rows = await sql<{ id: number }[]>`
    select id from mailboxes where rate_per_recipient_hour is not null order by id for no key update skip locked`;
  return rows.map(({ id }) => id);
}

/** Puts off what would exceed a cap, so that it is not looked at again and again. That nothing exceeds it is the claim's to see. */
export async function postpone(sql: postgres.Sql, now: Date): Promise<void> {
  while ((await postponeSome(sql, now)) >= postponedAtOnce);
}

async function postponeSome(sql: postgres.Sql, now: Date): Promise<number> {
  const rows = await sql`
    with ${atCapStep(sql, now)}, over as (
      select d.id
      from mailboxes m
      cross join lateral (
        select d.id from deliveries d
        where d.mailbox_id = m.id and d.state in ('QUEUED', 'HELD', 'DEFERRED') and not d.awaits_scan and d.due_at <= ${now}::timestamptz
          and ${isAtCap(sql)}
        order by d.due_at, d.id limit ${postponedAtOnce}
        for no key update of d skip locked
      ) d
      where m.rate_per_recipient_hour is not null
    )
    update deliveries d
    set due_at = ${now}::timestamptz + make_interval(secs => ${recipientPauseSeconds} * (1 + random())),
      failure = 'Waits: the recipient has had as many mails this hour as the mailbox allows'
    from over o where d.id = o.id
    returning d.id`;
  return rows.length;
}

/** Milliseconds from `now` until something may be due or a lease may have run out; undefined: nothing waits. */
export async function nextDue(sql: postgres.Sql, now: Date): Promise<number | undefined> {
  const [row] = await sql<{ due: Date | null }[]>`
    select min(greatest(n.due_at, case when m.rate_per_minute is not null then m.paced_until end)) as due
    from mailboxes m cross join lateral (
      select d.due_at from deliveries d
      where d.mailbox_id = m.id and d.state in ('QUEUED', 'HELD', 'DEFERRED') and not d.awaits_scan order by d.due_at limit 1
    ) n`;
  return row?.due == null ? undefined : Math.max(0, row.due.getTime() - now.getTime());
}

/** Keeps what a mailbox's server said of the largest mail it takes (EHLO SIZE), so that the next one is refused to its author's face. */
export async function learnSizeLimit(sql: postgres.Sql, mailboxId: number, octets: number): Promise<void> {
  const limit = Math.min(octets, 2_147_483_647);
  await sql`
    update mailboxes set server_max_mail_bytes = ${limit}
    where id = ${mailboxId} and server_max_mail_bytes is distinct from ${limit}`;
}

/** What a plain claim must not be made without: mailboxes that count their mails to one recipient, and conditional mails that are due. */
export async function findSpecial(
  sql: postgres.Sql,
  now: Date,
): Promise<{ counted: boolean; conditional: boolean }> {
  const [row] = await sql<{ counted: boolean; conditional: boolean }[]>`
    select exists (select from mailboxes where rate_per_recipient_hour is not null) as counted,
      exists (
        select from deliveries
        where cancel_if <> '{}' and state in ('QUEUED', 'HELD', 'DEFERRED') and not awaits_scan and due_at <= ${now}::timestamptz and attempts = 0
      ) as conditional`;
  return row!;
}
