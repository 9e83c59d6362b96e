import { and, asc, desc, eq, gt, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { Viewer } from '../context.ts';
import { tickets } from '../db/tables.ts';
import type { DeskContext } from './desk.ts';
import { isOperator, requireViewer } from './policy.ts';
import { resolveSelector, type TicketSelector } from './selector.ts';

/** A ticket as its viewer may see it: counts are of visible messages only. */
export interface Ticket {
  readonly id: number;
  readonly reference: string;
  readonly subject: string;
  readonly status: 'OPEN' | 'CLOSED';
  readonly requesterId: number;
  readonly createdAt: Date;
  readonly messageCount: number;
  /** Number of the last event that this viewer may see. */
  readonly cursor: number;
}

/** A keyset page: identifiers strictly between `after` and `before`, in ascending order unless inverted. */
export interface Page {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
  readonly inverted: boolean;
}

export const ticketColumns = (viewer: Viewer) => ({
  id: tickets.id,
  reference: tickets.reference,
  subject: tickets.subject,
  status: tickets.status,
  requesterId: tickets.requesterId,
  createdAt: tickets.createdAt,
  messageCount: isOperator(viewer) ? tickets.messageCount : tickets.publicMessageCount,
  cursor: isOperator(viewer) ? tickets.lastEventNumber : tickets.lastPublicEventNumber,
});

const visibleTickets = (viewer: Viewer): SQL | undefined =>
  isOperator(viewer) ? undefined : eq(tickets.requesterId, viewer.userId);

/** The ticket, or undefined: when it does not exist and when the viewer may not see it, which cannot be told apart. */
export async function findTicket(ctx: DeskContext, by: TicketSelector): Promise<Ticket | undefined> {
  const viewer = requireViewer(ctx, 'read');
  const { ticketId, reference } = resolveSelector(by);
  const named =
    ticketId === null ? sql`${tickets.referenceKey} = lower(${reference}::text)` : eq(tickets.id, ticketId);
  const [ticket] = await ctx.desk.database.readAs(viewer, (db) =>
    db
      .select(ticketColumns(viewer))
      .from(tickets)
      .where(and(named, visibleTickets(viewer)))
      .prepare('find_ticket')
      .execute(),
  );
  return ticket;
}

/** Visible tickets by id; the others are missing from the answer. */
export async function loadTickets(ctx: DeskContext, ids: readonly number[]): Promise<Map<number, Ticket>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.desk.database.readAs(viewer, (db) =>
    db
      .select(ticketColumns(viewer))
      .from(tickets)
      .where(and(inArray(tickets.id, [...ids]), visibleTickets(viewer))),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Visible tickets, the newest first. */
export async function listTickets(
  ctx: DeskContext,
  filter: { status?: 'OPEN' | 'CLOSED' | undefined },
  page: Page,
): Promise<Ticket[]> {
  const viewer = requireViewer(ctx, 'read');
  const { after, before, limit, inverted } = page;
  return ctx.desk.database.readAs(viewer, (db) =>
    db
      .select(ticketColumns(viewer))
      .from(tickets)
      .where(
        and(
          visibleTickets(viewer),
          filter.status === undefined ? undefined : eq(tickets.status, filter.status),
          after === undefined ? undefined : lt(tickets.id, after),
          before === undefined ? undefined : gt(tickets.id, before),
        ),
      )
      .orderBy(inverted ? asc(tickets.id) : desc(tickets.id))
      .limit(limit),
  );
}
