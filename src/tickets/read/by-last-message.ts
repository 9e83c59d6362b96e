import { type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import { minuteOf } from '../../db/statement-parts.ts';
import { tickets } from '../../db/tables.ts';
import { ticketColumns } from './conversation/statement.ts';

/** Which tickets are read, and in which direction. Values are SQL. */
export interface ByLastMessage {
  /** Operators and requesters have an order each. Private messages do not move a ticket for requesters. */
  readonly byOperator: boolean;
  readonly direction: 'asc' | 'desc';
  /** A condition on `tickets`, which must include the status. */
  readonly where: SQL;
  /** The exclusive lower bound of the page: an instant and a ticket's id. */
  readonly above: readonly [at: SQL, id: SQL];
  /** The exclusive upper bound. */
  readonly below: readonly [at: SQL, id: SQL];
  /** How many tickets the page has, at most. */
  readonly limit: SQL;
}

/**
 * SQL for the tickets that come first by their last messages: `ticketColumns`, and as `place` the instant by
 * which they are ordered, in no order: the caller sorts them by `place` and id, and keeps the first ones.
 * Most tickets are in the index by the instant of their last message, the others by its minute. Up to the
 * limit of each come, and with those indexed by minute, all the others of the last minute that is reached.
 *
 * Each part is in the order of its index, so PostgreSQL uses that. If a part had to be sorted, PostgreSQL
 * would read all tickets of a requester instead: it does not know which requester it will be, and expects few
 * tickets of each.
 */
export function byLastMessage({ byOperator, direction, where, above, below, limit }: ByLastMessage): SQL {
  const { listedAt, activeAt, byMinute } = byOperator ? forOperators : forRequesters;
  const towards = sql.raw(direction);
  const between = (at: SQLWrapper) => sql`
    (${at}, ${tickets.id}) > (${above[0]}, ${above[1]})
    and (${at}, ${tickets.id}) < (${below[0]}, ${below[1]})`;
  return sql`
    (select ${ticketColumns}, ${listedAt} as place from ${tickets}
      where ${where} and not ${byMinute} and ${between(listedAt)}
      order by ${listedAt} ${towards}, ${tickets.id} ${towards} limit ${limit})
    union all
    (select ${ticketColumns}, ${activeAt} as place from ${tickets}
      where ${where} and ${byMinute} and ${between(activeAt)}
      and ${listedAt} >= ${minuteOf(above[0])} and ${listedAt} <= ${below[0]}
      order by ${listedAt} ${towards} fetch first (${limit}) rows with ties)`;
}

const forOperators = {
  listedAt: tickets.listedAt,
  activeAt: tickets.activeAt,
  byMinute: tickets.isListedByMinute,
};
const forRequesters = {
  listedAt: tickets.publicListedAt,
  activeAt: tickets.publicActiveAt,
  byMinute: tickets.isPublicListedByMinute,
};
