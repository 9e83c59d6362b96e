import { and, eq, ne, sql } from 'drizzle-orm';
import type { Tx } from '../db/database.ts';
import { auditEntries, tickets } from '../db/tables.ts';
import { appendEvents } from '../events/append-events.ts';
import type { Viewer } from '../platform/request-context.ts';
import type { EventType, TicketStatus } from '../platform/vocabulary.ts';
import type { TicketContext } from './context.ts';
import { assertOperator, assertScope, isOperator, requireViewer } from './permissions.ts';
import { refuse } from './refusals-by-command.ts';
import {
  type ResolvedSelector,
  resolveSelector,
  type TicketSelector,
  ticketNotFound,
} from './ticket-selector.ts';
import { inTransaction } from './transaction.ts';

/** Input of `setTicketStatus`. */
export interface SetTicketStatusInput {
  readonly ticket: TicketSelector;
  readonly status: TicketStatus;
}

/** Result of `setTicketStatus`. */
export interface StatusSet {
  readonly ticketId: number;
  /** False when the ticket had this status already. Nothing was written then. */
  readonly changed: boolean;
}

const eventOf = {
  OPEN: 'TICKET_REOPENED',
  CLOSED: 'TICKET_CLOSED',
} as const satisfies Record<TicketStatus, EventType>;

/**
 * Closes a ticket or reopens it, with an audit entry and a public event. Messages, mails and uploads stay as
 * they are. The command is idempotent: a second call writes nothing and sends no event.
 * @throws Refusal, in this order: UNAUTHENTICATED; TICKET_NOT_FOUND, also for a ticket that the viewer may
 *   not see; FORBIDDEN for requesters and without the scope `write`
 * @throws Unavailable as `inTransaction`
 */
export async function setTicketStatus(ctx: TicketContext, input: SetTicketStatusInput): Promise<StatusSet> {
  const viewer = requireViewer(ctx);
  return inTransaction(ctx, async (tx) => {
    const ticketId = await findVisible(tx, viewer, resolveSelector(input.ticket));
    assertOperator(viewer, 'open and close tickets', ['status']);
    assertScope(viewer, 'write');
    return { ticketId, changed: await write(tx, { ticketId, status: input.status, actorId: viewer.userId }) };
  });
}

async function findVisible(tx: Tx, viewer: Viewer, named: ResolvedSelector): Promise<number> {
  const byReference = sql`${tickets.referenceKey} = lower(${named.reference}::text)`;
  const [found] = await tx
    .select({ id: tickets.id })
    .from(tickets)
    .where(
      and(
        named.ticketId === null ? byReference : eq(tickets.id, named.ticketId),
        isOperator(viewer) ? undefined : eq(tickets.requesterId, viewer.userId),
      ),
    );
  if (found === undefined) throw refuse<'setTicketStatus'>(ticketNotFound());
  return found.id;
}

interface StatusChange {
  readonly ticketId: number;
  readonly status: TicketStatus;
  readonly actorId: number;
}

/** @returns whether the status changed. Of two concurrent calls, the second finds it changed already. */
async function write(tx: Tx, { ticketId, status, actorId }: StatusChange): Promise<boolean> {
  const [changed] = await tx
    .update(tickets)
    .set({ status })
    .where(and(eq(tickets.id, ticketId), ne(tickets.status, status)))
    .returning({ id: tickets.id });
  if (changed === undefined) return false;
  const type = eventOf[status];
  await tx.insert(auditEntries).values({ actorId, action: type, ticketId });
  const event = { type, visibility: 'PUBLIC', actorId, messageId: null, deliveryId: null } as const;
  await tx.execute(appendEvents(ticketId, [event]));
  return true;
}
