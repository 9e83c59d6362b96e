import { type Placeholder, type SQL, sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign, insertFrom } from '../../db/insert-from.ts';
import { prepareStatement, runStatement } from '../../db/run-statement.ts';
import { deliveries, deliveryAttempts, mailboxes } from '../../db/tables.ts';
import { a, d, e, m } from '../table-aliases.ts';
import { isWaiting } from './delivery-states.ts';
import { type Search, searches } from './first-mails.ts';
import { atCapStep, isAtCap } from './recipient-caps.ts';

/** SQL for the end of a lease that begins now, by the database's clock. */
export const leaseFor = (seconds: number | Placeholder): SQL =>
  sql`clock_timestamp() + make_interval(secs => ${seconds}::float8)`;

/** A mail that this worker owns and is to send, until its lease ends. */
export interface Claim {
  readonly id: number;
  /**
   * Identifies this attempt. Each later step names it, and changes nothing if another attempt owns the mail.
   */
  readonly token: string;
  /** Attempts so far, this one included. */
  readonly attempts: number;
  readonly mailboxId: number;
}

/** Number of mails of one mailbox that this worker can take now. */
export interface FreeSlots {
  readonly mailboxId: number;
  readonly free: number;
}

/** Who claims, and how many mails. */
export interface ClaimOptions {
  /** Name of the worker, for the log of attempts. */
  readonly worker: string;
  /** Mails that are due by this time are claimed. */
  readonly now: Date;
  /** How long the worker may hold a mail before another one takes it over. */
  readonly leaseSeconds: number;
  /** The mailboxes of which the worker can take another number than `free`. */
  readonly slots: readonly FreeSlots[];
  /** Number of mails that the worker can take now of any other mailbox. */
  readonly free: number;
  /**
   * Of mails with a `cancelIf` that were never tried, only these are claimed: this transaction has checked
   * them under the locks of their tickets. Default: none.
   */
  readonly checkedMails?: readonly number[];
  /**
   * Of mailboxes with a cap per recipient, only these are claimed from: this transaction has locked them.
   * Default: none.
   */
  readonly lockedMailboxes?: readonly number[];
}

/** Days that a mail is retried from its first attempt (RFC 5321 §4.5.4.1). */
export const giveUpAfterDays = 5;

const value = sql.placeholder;
const now = sql`${value('now')}::timestamptz`;
const free = sql`${value('free')}::int`;
const freeSlots = sql`unnest(${value('mailboxIds')}::int[], ${value('freeSlots')}::int[]) as l (id, free)`;

/** A claimed mail. Without an id: a mailbox with room for so many mails that the next search may find. */
interface ClaimRow extends Omit<Claim, 'id'> {
  readonly id: number | null;
  readonly room: number;
}

/** Steps that list the mailboxes with room for mails: `room` (id, ratePerRecipientHour, free). */
const roomSteps = sql`
  unpaced as (
    select ${m.id}, ${m.ratePerRecipientHour} as "ratePerRecipientHour", coalesce(l.free, ${free}) as free
    from ${mailboxes} m left join ${freeSlots} on l.id = ${m.id}
    where ${m.ratePerMinute} is null and ${m.ratePerRecipientHour} is null
  ), paced as (
    -- The row's lock makes workers take turns at a mailbox that has a cap; one mail goes at once and what
    -- was not sent of the last second, and only one at a time where each recipient is counted.
    select ${m.id}, ${m.ratePerMinute} as "ratePerMinute",
      ${m.ratePerRecipientHour} as "ratePerRecipientHour", ${m.pacedUntil} as "pacedUntil",
      least(
        coalesce(l.free, ${free}), ${m.ratePerRecipientHour},
        case when ${m.ratePerRecipientHour} is not null then 1 end,
        1 + floor(date_part('epoch', least(${now} - ${m.pacedUntil}, interval '1 second'))
          * ${m.ratePerMinute} / 60)::int) as free
    from ${mailboxes} m left join ${freeSlots} on l.id = ${m.id}
    where (${m.ratePerMinute} is not null or ${m.ratePerRecipientHour} is not null)
      -- A rate of 0, which somebody may set by hand, sends nothing.
      and (${m.ratePerMinute} is null or ${m.ratePerMinute} > 0 and ${m.pacedUntil} <= ${now})
      and (${m.ratePerRecipientHour} is null or ${m.id} = any (${value('lockedMailboxes')}::int[])
        and not exists (
          select from ${deliveries} e where ${e.mailboxId} = ${m.id} and ${e.state} = 'TRANSMITTING'))
    for no key update of m skip locked
  ), room as (
    select id, "ratePerRecipientHour", free from unpaced where free > 0
    union all
    select id, "ratePerRecipientHour", free from paced where free > 0
  )`;

/** A step that locks the oldest of `firsts`, as many of each mailbox as it has room for: `due` (id). */
const dueStep = sql`
  due as (
    select d.id
    from room m join firsts f on f.id = m.id cross join lateral (
      select ${d.id} from ${deliveries} d
      -- CASE: these conditions are for mails that another worker has just changed. If the planner saw them,
      -- it might choose the index of waiting mails, which was short when the statement was planned.
      where ${d.id} = any (f.ids)
        and case when ${isWaiting} then not ${d.awaitsScan} and ${d.dueAt} <= ${now} end
        and (m."ratePerRecipientHour" is null or not ${isAtCap})
        and (${d.cancelIf} = '{}' or ${d.attempts} > 0 or ${d.id} = any (${value('checkedMails')}::int[]))
      order by ${d.dueAt}, ${d.id} limit m.free
      for no key update of d skip locked
    ) d
  )`;

/** Steps that claim the mails of `due`: `claimed`. */
const claimSteps = sql`
  claimed as (
    update ${deliveries} d set ${assign(deliveries, {
      state: 'TRANSMITTING',
      attempt: sql`gen_random_uuid()`,
      // Somebody may have set the number back by hand, and each attempt needs one of its own.
      attempts: sql`1 + greatest(${d.attempts}, (
        select max(${a.number}) from ${deliveryAttempts} a where ${a.deliveryId} = ${d.id}))`,
      phase: 'CONNECT',
      settledAt: null,
      giveUpAt: sql`coalesce(${d.giveUpAt}, ${now} + make_interval(days => ${giveUpAfterDays}))`,
      leaseUntil: leaseFor(value('leaseSeconds')),
    })}
    -- A list of ids is read by their index, whatever number of mails the planner expects.
    where ${d.id} = any (array(select id from due))
    returning ${d.id}, ${d.attempt} as token, ${d.attempts} as attempts, ${d.mailboxId} as "mailboxId"
  ), pace as (
    update ${mailboxes} m set ${assign(mailboxes, {
      pacedUntil: sql`greatest(p."pacedUntil", ${now} - interval '1 second')
        + c.mails * interval '1 minute' / p."ratePerMinute"`,
    })}
    from paced p
    join (select "mailboxId", count(*) as mails from claimed group by "mailboxId") c
      on c."mailboxId" = p.id
    where ${m.id} = p.id and p."ratePerMinute" is not null
  ), logged as (
    ${insertFrom(
      deliveryAttempts,
      {
        deliveryId: sql`id`,
        number: sql`attempts`,
        token: sql`token`,
        worker: sql`${value('worker')}::text`,
        startedAt: sql`clock_timestamp()`,
      },
      sql`claimed`,
    )}
  )`;

const prepareClaim = (search: Search) =>
  prepareStatement<ClaimRow, ReturnType<typeof valuesOf>>(sql`
    with recursive ${atCapStep(now)}, ${roomSteps}, ${search}, ${dueStep}, ${claimSteps}
    select id, token, attempts, "mailboxId", null::int as room from claimed
    union all
    select null, null, null, id, room from (
      select m.id, m.free - (select count(*) from claimed c where c."mailboxId" = m.id)::int as room
      from room m where m.id in (select id from firsts where partial)
    ) r where room > 0
    order by id`);
const claimStatements = searches.map(prepareClaim);

/**
 * Claims due mails: of each mailbox as many as it has free slots and its rate allows, oldest first. Each
 * becomes TRANSMITTING, with a token, a lease and a new attempt. A mail waits while its ticket has an earlier
 * one due or under way from the same mailbox. Mails that await a scan are not in the indexes that are read,
 * so they cost nothing while the scanner is down. Workers may claim concurrently.
 * @yields the mails of each search, maybe none. They are claimed whether or not the next search fails.
 */
export async function* claimInTurn(client: postgres.Sql, options: ClaimOptions): AsyncGenerator<Claim[]> {
  let left = options;
  for (const takeDue of claimStatements) {
    const rows = await takeDue(client, valuesOf(left));
    yield rows.flatMap(({ id, token, attempts, mailboxId }) =>
      id === null ? [] : { id, token, attempts, mailboxId },
    );
    const slots = rows.flatMap(({ id, mailboxId, room }) => (id === null ? { mailboxId, free: room } : []));
    if (slots.length === 0) return;
    left = { ...options, slots, free: 0 };
  }
}

/**
 * Claims due mails as `claimInTurn` does, and returns those of all searches together.
 * @param client must be a transaction: without one, mails that were claimed are lost to the caller if a later
 *   search fails
 */
export async function claim(client: postgres.Sql, options: ClaimOptions): Promise<Claim[]> {
  const claims: Claim[] = [];
  for await (const some of claimInTurn(client, options)) claims.push(...some);
  return claims;
}

function valuesOf({ slots, checkedMails = [], lockedMailboxes = [], ...options }: ClaimOptions) {
  const mailboxIds = slots.map(({ mailboxId }) => mailboxId);
  const freeSlots = slots.map((mailbox) => mailbox.free);
  return { ...options, mailboxIds, freeSlots, checkedMails, lockedMailboxes };
}

const selectNextDue = prepareStatement<{ due: Date | null }, Record<string, never>>(sql`
  select min(greatest(n.due_at, case when ${m.ratePerMinute} is not null then ${m.pacedUntil} end)) as due
  from ${mailboxes} m cross join lateral (
    select ${d.dueAt} as due_at from ${deliveries} d
    where ${d.mailboxId} = ${m.id} and ${isWaiting} and not ${d.awaitsScan} order by ${d.dueAt} limit 1
  ) n
  where ${m.ratePerMinute} is null or ${m.ratePerMinute} > 0`);

/**
 * Milliseconds from `now` until a mail may be due; 0 if one is, undefined when nothing waits. Mails that
 * await a scan do not count.
 */
export async function nextDue(client: postgres.Sql, now: Date): Promise<number | undefined> {
  const [row] = await selectNextDue(client, {});
  return row?.due == null ? undefined : Math.max(0, row.due.getTime() - now.getTime());
}

/**
 * Finds whether a claim has to lock rows first, which takes a transaction: `mailboxes`, if any has a cap per
 * recipient; `tickets`, if mails with a `cancelIf` are due that were never tried. It locks nothing.
 */
export async function findNeededLocks(
  client: postgres.Sql,
  now: Date,
): Promise<{ mailboxes: boolean; tickets: boolean }> {
  const [row] = await runStatement<{ mailboxes: boolean; tickets: boolean }>(
    client,
    sql`
    select exists (select from ${mailboxes} m where ${m.ratePerRecipientHour} is not null) as mailboxes,
      exists (
        select from ${deliveries} d
        where ${d.cancelIf} <> '{}' and ${isWaiting} and not ${d.awaitsScan}
          and ${d.dueAt} <= ${now}::timestamptz and ${d.attempts} = 0
      ) as tickets`,
  );
  return row!;
}
