import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import type { Reader } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { tickets, users } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketStatus } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../permissions.ts';
import { resolveSelector, type TicketSelector } from '../ticket-selector.ts';
import type { Person } from './people-and-mailboxes.ts';

/** A ticket as its viewer may see it: for a requester, private messages and events do not exist. */
export interface Ticket {
  readonly id: number;
  readonly reference: string;
  readonly subject: string;
  readonly status: TicketStatus;
  readonly requesterId: number;
  readonly createdAt: Date;
  /** Number of messages that this viewer may see. */
  readonly messageCount: number;
  /** The last message that this viewer may see; null if there is none. */
  readonly lastMessageId: number | null;
  /** When that message was written; when the ticket was opened, if there is none. */
  readonly activeAt: Date;
  /** Number of the last event that this viewer may see, in the viewer's numbering; 0 if there is none. */
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

/** The columns for operators, or for requesters, who see what is public. */
const columnsFor = (byOperator: boolean) => ({
  ...ticketColumns,
  messageCount: byOperator ? tickets.messageCount : tickets.publicMessageCount,
  lastMessageId: byOperator ? tickets.lastMessageId : tickets.lastPublicMessageId,
  activeAt: byOperator ? tickets.activeAt : tickets.publicActiveAt,
  cursor: byOperator ? tickets.lastEventNumber : tickets.lastPublicEventNumber,
});

const visibleTickets = (viewer: Viewer): SQL | undefined =>
  isOperator(viewer) ? undefined : eq(tickets.requesterId, viewer.userId);

const findById = preparePerPool((db) =>
  selectTicket(db, eq(tickets.id, sql.placeholder('name'))).prepare('find_ticket_by_id'),
);
const findByReference = preparePerPool((db) =>
  selectTicket(db, sql`${tickets.referenceKey} = lower(${sql.placeholder('name')}::text)`).prepare(
    'find_ticket_by_reference',
  ),
);

function selectTicket(db: Reader, named: SQL) {
  const operator = sql`${sql.placeholder('operator')}::bool`;
  const visible = <T>(all: PgColumn, ofPublic: PgColumn) =>
    sql<T>`case when ${operator} then ${all} else ${ofPublic} end`;
  return db
    .select({
      ...ticketColumns,
      requester: { id: users.id, name: users.name, role: users.role, email: users.email },
      messageCount: visible<number>(tickets.messageCount, tickets.publicMessageCount),
      lastMessageId: visible<number | null>(tickets.lastMessageId, tickets.lastPublicMessageId),
      activeAt: visible<Date>(tickets.activeAt, tickets.publicActiveAt).mapWith(tickets.activeAt),
      cursor: visible<number>(tickets.lastEventNumber, tickets.lastPublicEventNumber),
    })
    .from(tickets)
    .innerJoin(users, eq(users.id, tickets.requesterId))
    .where(and(named, sql`(${operator} or ${tickets.requesterId} = ${sql.placeholder('viewerId')}::int)`));
}

/**
 * A ticket by global id, number or reference, with its requester. Undefined both when it does not exist and
 * when the viewer may not see it.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`
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

/**
 * Tickets by id that the viewer may see. Others are missing from the result. No scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export async function loadTickets(ctx: TicketContext, ids: readonly number[]): Promise<Map<number, Ticket>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select(columnsFor(isOperator(viewer)))
      .from(tickets)
      .where(and(inArray(tickets.id, [...ids]), visibleTickets(viewer))),
  );
  return new Map(rows.map((row) => [row.id, row]));
}
