import { and, asc, desc, eq, gt, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { Reader } from '../../db/database.ts';
import { preparedFor } from '../../db/prepared.ts';
import { tickets, users } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketStatus } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../policy.ts';
import { resolveSelector, type TicketSelector } from '../selector.ts';
import { countUpTo } from './count.ts';
import { type PageOf, type Paging, readPage } from './page.ts';
import type { Person } from './people.ts';

/** A ticket as its viewer may see it. Counts include only visible messages. */
export interface Ticket {
  readonly id: number;
  readonly reference: string;
  readonly subject: string;
  readonly status: TicketStatus;
  readonly requesterId: number;
  readonly createdAt: Date;
  readonly messageCount: number;
  /** Number of the last event that this viewer may see. */
  readonly cursor: number;
}

/** A ticket with its requester. */
export interface TicketWithRequester extends Ticket {
  readonly requester: Person;
}

const ticketColumns = {
  id: tickets.id,
  reference: tickets.reference,
  subject: tickets.subject,
  status: tickets.status,
  requesterId: tickets.requesterId,
  createdAt: tickets.createdAt,
};

const columnsFor = (viewer: Viewer) => ({
  ...ticketColumns,
  messageCount: isOperator(viewer) ? tickets.messageCount : tickets.publicMessageCount,
  cursor: isOperator(viewer) ? tickets.lastEventNumber : tickets.lastPublicEventNumber,
});

const visibleTickets = (viewer: Viewer): SQL | undefined =>
  isOperator(viewer) ? undefined : eq(tickets.requesterId, viewer.userId);

const findById = preparedFor((db) =>
  selectTicket(db, eq(tickets.id, sql.placeholder('name'))).prepare('find_ticket_by_id'),
);
const findByReference = preparedFor((db) =>
  selectTicket(db, sql`${tickets.referenceKey} = lower(${sql.placeholder('name')}::text)`).prepare(
    'find_ticket_by_reference',
  ),
);

function selectTicket(db: Reader, named: SQL) {
  const operator = sql`${sql.placeholder('operator')}::bool`;
  return db
    .select({
      ...ticketColumns,
      requester: { id: users.id, name: users.name, role: users.role, email: users.email },
      messageCount: sql<number>`
        case when ${operator} then ${tickets.messageCount} else ${tickets.publicMessageCount} end`,
      cursor: sql<number>`
        case when ${operator} then ${tickets.lastEventNumber} else ${tickets.lastPublicEventNumber} end`,
    })
    .from(tickets)
    .innerJoin(users, eq(users.id, tickets.requesterId))
    .where(and(named, sql`(${operator} or ${tickets.requesterId} = ${sql.placeholder('viewerId')}::int)`));
}

/**
 * A ticket by id or reference, with its requester. Undefined both when it does not exist and when the viewer
 * may not see it.
 */
export async function findTicket(
  ctx: TicketContext,
  by: TicketSelector,
): Promise<TicketWithRequester | undefined> {
  const viewer = requireViewer(ctx, 'read');
  const { ticketId, reference } = resolveSelector(by);
  const find = ticketId === null ? findByReference : findById;
  const [found] = await ctx.services.database.readAs(viewer, (db) =>
    find(db).execute({ name: ticketId ?? reference, viewerId: viewer.userId, operator: isOperator(viewer) }),
  );
  return found;
}

/** Visible tickets by id. Others are missing from the result. */
export async function loadTickets(ctx: TicketContext, ids: readonly number[]): Promise<Map<number, Ticket>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select(columnsFor(viewer))
      .from(tickets)
      .where(and(inArray(tickets.id, [...ids]), visibleTickets(viewer))),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Which tickets to list. */
export interface TicketFilter {
  readonly status?: TicketStatus | null | undefined;
}

const listed = (viewer: Viewer, { status }: TicketFilter): SQL | undefined =>
  and(visibleTickets(viewer), status == null ? undefined : eq(tickets.status, status));

/**
 * A page of the visible tickets, newest first.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT
 */
export async function listTickets(
  ctx: TicketContext,
  filter: TicketFilter,
  paging: Paging,
): Promise<PageOf<Ticket>> {
  const viewer = requireViewer(ctx, 'read');
  return readPage('tickets', paging, ({ after, before, limit, inverted }) =>
    ctx.services.database.readAs(viewer, (db) =>
      db
        .select(columnsFor(viewer))
        .from(tickets)
        .where(
          and(
            listed(viewer, filter),
            after === undefined ? undefined : lt(tickets.id, after),
            before === undefined ? undefined : gt(tickets.id, before),
          ),
        )
        .orderBy(inverted ? asc(tickets.id) : desc(tickets.id))
        .limit(limit),
    ),
  );
}

/** Number of tickets on all pages of `listTickets`; null when there are more than `maxCount`. */
export async function countTickets(ctx: TicketContext, filter: TicketFilter): Promise<number | null> {
  const viewer = requireViewer(ctx, 'read');
  return ctx.services.database.readAs(viewer, (db) => countUpTo(db, tickets, listed(viewer, filter)));
}
