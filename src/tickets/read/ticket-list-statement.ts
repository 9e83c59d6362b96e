import { type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Reader } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { minuteOf } from '../../db/statement-parts.ts';
import { deliveries, messages, tickets } from '../../db/tables.ts';
import { type TicketStatus, ticketStatuses } from '../../platform/vocabulary.ts';
import { byLastMessage } from './by-last-message.ts';
import {
  type ConversationReads,
  conversationStatement,
  flag,
  ticketColumns,
} from './conversation/statement.ts';
import { ownTicketsWith, ticketsWith } from './search-text.ts';

/*
 * The statements of a list of tickets. A page reads the start of an index for each status and merges them. So
 * it takes as long on a large desk as on a small one, whatever PostgreSQL estimates.
 */

/**
 * LAST_MESSAGE: by the time of the last message that the viewer may see, or of opening if there is none.
 * CREATED: by the ticket's number, which follows the time of opening.
 */
export type TicketOrder = 'LAST_MESSAGE' | 'CREATED';

/** Conditions on tickets, all of which have to hold. One that is null or missing always holds. */
export interface TicketFilter {
  readonly status?: TicketStatus | null | undefined;
  /** Tickets of this user. 0: not an id, which is refused. */
  readonly requesterId?: number | null | undefined;
  /** The whole reference, in any case. */
  readonly reference?: string | null | undefined;
  /**
   * Words of the subject, or the beginning of the reference or, for operators, of the requester's address.
   */
  readonly text?: string | null | undefined;
  /** Tickets with a message after this time that the viewer may see, and those opened after it. */
  readonly updatedAfter?: Date | null | undefined;
  /**
   * True: tickets with a mail that is still to be sent (queued, held, deferred or in transmission). False:
   * those without one.
   */
  readonly hasUnsettledDelivery?: boolean | null | undefined;
}

/** Which conditions and which order a statement has. Each combination is a statement of its own. */
export interface TicketListShape {
  readonly byOperator: boolean;
  readonly orderBy: TicketOrder;
  /** The oldest first. */
  readonly ascending: boolean;
  /** Whether there is one status, and not all. */
  readonly byStatus: boolean;
  readonly byRequester: boolean;
  readonly byReference: boolean;
  readonly byText: boolean;
  readonly updatedAfter: boolean;
  /** Null: there is no such condition. */
  readonly hasUnsettledDelivery: boolean | null;
}

/**
 * The values of a statement's placeholders. Values for conditions that the statement does not have are
 * ignored. Instants are texts. `above` and `below`, with the ids, are the exclusive bounds of a page in the
 * order's index.
 */
export interface ListPlaceholders extends Record<string, unknown> {
  readonly statuses: readonly TicketStatus[];
  readonly viewerId: number;
  readonly requesterId: number;
  readonly reference: string;
  readonly text: string;
  readonly updatedAfter: string;
  readonly above: string;
  readonly aboveId: number;
  readonly below: string;
  readonly belowId: number;
  readonly limit: number;
}

/** What is read of each ticket besides its own columns, according to the document's selection. */
export interface RequestedParts extends Omit<ConversationReads, 'operator'> {
  /** The last message of each ticket that the viewer may see. */
  readonly lastMessages: boolean;
}

const statements = new Map<string, ReturnType<typeof prepare>>();

/**
 * The statements of a shape, made once. `page` reads the tickets of a page, in no order, with their requested
 * parts; `decodeRows` makes objects of its rows. `count` counts the tickets, at most up to `limit`.
 */
export function listStatementOf(shape: TicketListShape): ReturnType<typeof prepare> {
  const name = Object.values(shape).map(String).join('_').toLowerCase();
  const made = statements.get(name) ?? prepare(shape, name);
  statements.set(name, made);
  return made;
}

// A name may have at most 63 characters, which Drizzle does not check.
function prepare(shape: TicketListShape, name: string) {
  const found = (most?: SQL) => {
    if (isNarrow(shape)) return amongCandidates(shape, candidates(shape, most));
    return isSince(shape) ? updatedSince(shape) : byStatus(shape);
  };
  const chosen = sql`
    select ${ticketColumns} from ${found()} order by ${order(shape)} limit ${int('limit')}`;
  return {
    page: conversationStatement<ListPlaceholders & RequestedParts & ConversationReads>(chosen, lastMessages),
    count: preparePerPool((db: Reader) =>
      db
        .select({ count: sql<number>`count(*)::int` })
        .from(found(int('limit')))
        .prepare(`c_${name}`),
    ),
  };
}

/** Operators see a ticket's last message, requesters its last public one. */
const lastMessages = sql`
  select ${messages}.* from ${messages}
  where ${flag('lastMessages')} and (${messages.visibility} = 'PUBLIC' or ${flag('operator')})
    and ${messages.id} = any (array(
      select case when ${flag('operator')} then last_message_id else last_public_message_id end from chosen
    ))`;

const text = (name: keyof ListPlaceholders & string): SQL => sql`${sql.placeholder(name)}::text`;
const int = (name: keyof ListPlaceholders & string): SQL => sql`${sql.placeholder(name)}::int`;
const instant = (name: keyof ListPlaceholders & string): SQL => sql`${text(name)}::timestamptz`;
const direction = ({ ascending }: TicketListShape): SQL => sql.raw(ascending ? 'asc' : 'desc');

/** The columns that the list is ordered by. Private messages do not move a ticket in a requester's list. */
const placeOf = ({ orderBy, byOperator }: TicketListShape): SQL[] =>
  orderBy === 'CREATED'
    ? [sql`${tickets.id}`]
    : [sql`${byOperator ? tickets.activeAt : tickets.publicActiveAt}`, sql`${tickets.id}`];
/** The same in the columns that the parts of `byStatus` come in. */
const mergedBy = ({ orderBy }: TicketListShape): SQL[] =>
  orderBy === 'CREATED' ? [sql`${tickets.id}`] : [sql`place`, sql`${tickets.id}`];

/** `place > (…) and place < (…)`, in the columns that the list is ordered by. */
function between(shape: TicketListShape): SQL {
  const bound = (name: 'above' | 'below') =>
    list([...(shape.orderBy === 'CREATED' ? [] : [instant(name)]), int(`${name}Id`)]);
  const place = list([...placeOf(shape)]);
  return sql`${place} > ${bound('above')} and ${place} < ${bound('below')}`;
}
const list = (parts: readonly SQL[]): SQL => sql`(${sql.join([...parts], sql`, `)})`;
const order = (shape: TicketListShape): SQL =>
  sql.join(
    (isNarrow(shape) ? placeOf(shape) : mergedBy(shape)).map((column) => sql`${column} ${direction(shape)}`),
    sql`, `,
  );

/** The first rows of each status, from the index of the order. */
const byStatus = (shape: TicketListShape, also = sql``): SQL => {
  const read = shape.orderBy === 'CREATED' ? byId : byActivity;
  const where = sql`${sql.join(conditions(shape))} ${also}`;
  const parts = statusesOf(shape).map((status) => read(shape, status, where));
  return sql`(${sql.join(parts, sql` union all `)}) ${tickets}`;
};

/** Their values are not in the statement, so that its plan does not depend on how many tickets have each. */
const statusesOf = ({ byStatus }: TicketListShape): SQL[] =>
  (byStatus ? [0] : [...ticketStatuses.keys()]).map(
    (n) => sql`(${sql.placeholder('statuses')}::text[])[${sql.raw(String(n + 1))}]`,
  );

/**
 * In the order of ids, the status is compared together with the id: for `status = …`, PostgreSQL may scan all
 * tickets by id until it has found enough.
 */
const byId = (shape: TicketListShape, status: SQL, also: SQL): SQL => sql`
  (select ${ticketColumns} from ${tickets}
  where (${tickets.status}, ${tickets.id}) > (${status}, ${int('aboveId')})
    and (${tickets.status}, ${tickets.id}) < (${status}, ${int('belowId')}) ${also}
  order by ${tickets.status} ${direction(shape)}, ${tickets.id} ${direction(shape)} limit ${int('limit')})`;

const byActivity = (shape: TicketListShape, status: SQL, also: SQL): SQL =>
  byLastMessage({
    byOperator: shape.byOperator,
    direction: shape.ascending ? 'asc' : 'desc',
    where: sql`${tickets.status} = ${status} ${also}`,
    above: [instant('above'), int('aboveId')],
    below: [instant('below'), int('belowId')],
    limit: int('limit'),
  });

/**
 * The rows for conditions that few tickets meet: found by the conditions' own indexes, then sorted.
 * @param ids queries for ids, of which a ticket must be in each
 */
const amongCandidates = (shape: TicketListShape, ids: readonly SQL[], also = sql``): SQL => sql`
  (select ${ticketColumns} from ${tickets}
    where ${sql.join(
      ids.map((query) => sql`${tickets.id} = any (array(${query}))`),
      sql` and `,
    )} ${also} and ${tickets.status} = any (${sql.placeholder('statuses')}::text[]) and ${between(shape)}
      ${sql.join(conditions(shape))}
    order by ${order(shape)} limit ${int('limit')}) ${tickets}`;

const isNarrow = (shape: TicketListShape): boolean => candidates(shape).length > 0;

/**
 * Queries for ids, one for each condition that few tickets meet.
 * @param most how many tickets with the text, instead of the usual number
 */
function candidates(shape: TicketListShape, most?: SQL): SQL[] {
  const { byOperator, byReference, byText, hasUnsettledDelivery } = shape;
  const found = [];
  if (byReference)
    found.push(
      sql`select r.id from tickets r where r.reference_key in
        (lower(${text('reference')}), ltrim(lower(${text('reference')}), '#'))`,
    );
  if (byText)
    found.push(byOperator ? ticketsWith(text('text'), undefined, most) : ownTicketsWith(text('text')));
  if (hasUnsettledDelivery === true) found.push(sql`select d.ticket_id from ${unsettledDeliveries}`);
  return found;
}

/** Whether the list is in another order than that of the last messages, after which it asks. */
const isSince = ({ updatedAfter, orderBy }: TicketListShape): boolean =>
  updatedAfter && orderBy === 'CREATED';

/**
 * The rows with a message after `updatedAfter`, by id. They are found by the time of their last messages if
 * there are few, and otherwise by reading the tickets of each status by id until there are enough: PostgreSQL
 * cannot know beforehand which takes less time. If there are many, but hardly any near this end of the list,
 * most of the tickets are read.
 */
const updatedSince = (shape: TicketListShape): SQL => sql`
  (with recent as materialized (${recentlyUpdated(shape)}), extent as materialized (
      select count(*) <= ${sql.raw(String(fewTickets))} as are_few from recent)
    select * from ${amongCandidates(shape, [sql`select id from recent`], sql`and ${areFew}`)}
    union all
    select * from ${byStatus(shape, sql`and not ${areFew}`)}) ${tickets}`;
const areFew = sql`(select are_few from extent)`;

/** How many tickets are looked up one by one. */
const fewTickets = 1000;
const a = alias(tickets, 'a');

/**
 * Ids of tickets with a message after `updatedAfter`, at most one more than `fewTickets`: of the list's
 * requester, or of all. Each part is in the order of its index, so that PostgreSQL uses it; see
 * `byLastMessage`.
 */
function recentlyUpdated({ byOperator, byRequester }: TicketListShape): SQL {
  const [activeAt, listedAt, byMinute] = byOperator
    ? [a.activeAt, a.listedAt, a.isListedByMinute]
    : [a.publicActiveAt, a.publicListedAt, a.isPublicListedByMinute];
  const most = sql.raw(String(fewTickets + 1));
  return sql`
    select r.id from unnest(${sql.placeholder('statuses')}::text[]) s (wanted)
    cross join (values (false), (true)) m (by_minute)
    cross join lateral (
      select a.id from ${tickets} a
      where a.status = s.wanted and ${byMinute} = m.by_minute
        ${byOperator ? sql`` : sql`and a.requester_id = ${int('viewerId')}`}
        ${byRequester ? sql`and a.requester_id = ${int('requesterId')}` : sql``}
        and ${listedAt} >= ${minuteOf(instant('updatedAfter'))} and ${activeAt} > ${instant('updatedAfter')}
      order by ${listedAt} desc limit ${most}
    ) r limit ${most}`;
}

const unsettledDeliveries = sql`${deliveries} d
  where d.state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`;

/**
 * Conditions that are checked for each row. The viewer's rule is one; row-level security repeats it. In the
 * order of the last messages, `updatedAfter` is a bound of the page.
 */
function conditions(shape: TicketListShape): SQL[] {
  const { byOperator, byRequester, hasUnsettledDelivery } = shape;
  const activeAt = byOperator ? tickets.activeAt : tickets.publicActiveAt;
  return [
    byOperator ? sql`` : sql` and ${tickets.requesterId} = ${int('viewerId')}`,
    byRequester ? sql` and ${tickets.requesterId} = ${int('requesterId')}` : sql``,
    isSince(shape) ? sql` and ${activeAt} > ${instant('updatedAfter')}` : sql``,
    hasUnsettledDelivery === false
      ? sql` and not exists (select from ${unsettledDeliveries} and d.ticket_id = ${tickets.id})`
      : sql``,
  ];
}
