import { type SQL, sql } from 'drizzle-orm';
import { deliveries } from '../../db/tables.ts';
import { d, e } from '../table-aliases.ts';
import { isWaiting } from './delivery-states.ts';

/*
 * Of the mails of one ticket from one mailbox, the first that is due or under way holds up the others. Only
 * that one may be claimed, and only if it is due. A claim must find these mails without reading all that
 * wait: a hundred thousand may, on five tickets or on as many as there are mails. There are three searches.
 * Each is made only for the mailboxes whose slots the previous search did not fill.
 */

/**
 * A search for the first mails of tickets: steps of a statement `with recursive` that has the placeholder
 * `now`. The last is `firsts` (id, ids, partial): for a mailbox of the step `room` (id, free) the ids of its
 * first mails, and whether there may be further ones, which the next search finds. A mailbox without first
 * mails may have no row, and `ids` is null when the search gave up. Ids may be of mails that are under way,
 * which the caller leaves out.
 */
export type Search = SQL;

/** Most tickets of a mailbox that `amongTickets` visits. */
const mostTickets = sql.raw('1000');
/** Number of mails of a mailbox `m` that `amongOldest` reads: some are of the same tickets. */
const oldestRead = sql`(2 * m.free + 20)`;
/** Number of first mails of a mailbox `m` that `amongOldest` returns. */
const mostFirsts = sql`(m.free + 10)`;

const now = sql`${sql.placeholder('now')}::timestamptz`;
/** Since when a mail holds up later ones: always if it is under way. The text matches an index's column. */
const holdsSince = sql`
  (case when ${e.state} = 'TRANSMITTING' then '-infinity'::timestamptz else ${e.dueAt} end)`;
/** Whether a mail holds up later ones now. The text matches the predicate of the same index. */
const isFirst = sql`${e.state} in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING') and not ${e.awaitsScan}
  and ${holdsSince} <= ${now}`;

/**
 * The first mail of the next ticket that has one. Rows are compared and sorted by all columns, because only
 * the index of first mails can serve that: with `=`, PostgreSQL may choose an index in which it passes every
 * mail of the ticket that was ever sent.
 */
const firstAfter = (mailboxId: SQL, ticketId: SQL): SQL => sql`
  select ${e.ticketId} as ticket_id, ${e.id} as id from ${deliveries} e
  where ${isFirst} and (${e.mailboxId}, ${e.ticketId}) > (${mailboxId}, ${ticketId})
    and ${e.mailboxId} <= ${mailboxId}
  order by ${e.mailboxId}, ${e.ticketId}, ${e.id} limit 1`;

/**
 * Searches among the mails that have been due for longest. It finds enough unless most of these are of a few
 * tickets. A ticket is looked up only until there are mails enough, some more in case others are locked.
 */
const amongOldest: Search = sql`
  firsts as materialized (
    select m.id, o.ids, o.read >= ${oldestRead} or cardinality(o.ids) >= ${mostFirsts} as partial
    from room m cross join lateral (
      with oldest as materialized (
        select ${d.ticketId}, ${d.id}, ${d.dueAt} from ${deliveries} d
        where ${d.mailboxId} = m.id and ${isWaiting} and not ${d.awaitsScan} and ${d.dueAt} <= ${now}
        order by ${d.dueAt}, ${d.id} limit ${oldestRead}
      )
      select (select count(*) from oldest) as read, array(
        select t.id
        from (select distinct on (ticket_id) * from oldest order by ticket_id, id) t
        cross join lateral (${firstAfter(sql`m.id`, sql`t.ticket_id - 1`)}) f
        -- Not if the first one is due as well, but later than what was read.
        where f.id = t.id
        order by t.due_at, t.id limit ${mostFirsts}
      ) as ids
    ) o
  )`;

/** Goes from one ticket to the next. It finds nothing if there are too many, as the oldest must go first. */
const amongTickets: Search = sql`
  visited as (
    select m.id as mailbox_id, f.ticket_id, f.id, 1 as number
    from room m cross join lateral (${firstAfter(sql`m.id`, sql`0`)}) f
    union all
    select p.mailbox_id, f.ticket_id, f.id, p.number + 1
    from visited p cross join lateral (${firstAfter(sql`p.mailbox_id`, sql`p.ticket_id`)}) f
    where p.number < ${mostTickets}
  ), firsts as materialized (
    select mailbox_id as id, case when max(number) < ${mostTickets} then array_agg(id) end as ids,
      max(number) >= ${mostTickets} as partial
    from visited group by mailbox_id
  )`;

/**
 * Reads all that is due. It follows when a mailbox has more tickets than the search before visits, so most of
 * its claims fill the slots.
 */
const amongAll: Search = sql`
  firsts as materialized (
    -- One pass. If each mail is asked whether its ticket has an earlier one, PostgreSQL expects a match soon
    -- and reads the table from its beginning, past every mail that was ever sent.
    select t.mailbox_id as id, array_agg(t.id) as ids, false as partial
    from (
      select ${e.mailboxId}, min(${e.id}) as id from ${deliveries} e
      where ${isFirst} and ${e.mailboxId} in (select id from room)
      group by ${e.mailboxId}, ${e.ticketId}
    ) t group by t.mailbox_id
  )`;

/**
 * The searches in the order in which they are tried: among the oldest mails, from one ticket to the next, and
 * through all that is due. Each is only for the mailboxes whose slots the previous search did not fill.
 */
export const searches: readonly Search[] = [amongOldest, amongTickets, amongAll];
