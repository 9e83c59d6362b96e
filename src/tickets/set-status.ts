import type postgres from 'postgres';
import type { Viewer } from '../context.ts';
import { asUnavailable } from '../database-faults.ts';
import { Refusal } from '../errors.ts';
import { appendEvents } from '../events/append.ts';
import type { EventType, TicketStatus } from '../vocabulary.ts';
import type { DeskContext } from './desk.ts';
import { assertScope, isOperator, requireViewer } from './policy.ts';
import { type ResolvedSelector, resolveSelector, type TicketSelector } from './selector.ts';

export interface SetTicketStatusInput {
  readonly ticket: TicketSelector;
  readonly status: TicketStatus;
}

export interface StatusSet {
  readonly ticketId: number;
  /** False: the ticket had this status already, and nothing was written. */
  readonly changed: boolean;
}

const eventOf = {
  OPEN: 'TICKET_REOPENED',
  CLOSED: 'TICKET_CLOSED',
} as const satisfies Record<TicketStatus, EventType>;

/**
 * Closes a ticket, or opens it again. Its messages, mails and uploads stay as they are. Doing it twice is doing it
 * once: the second call changes nothing and tells nobody.
 * @throws Refusal UNAUTHENTICATED, TICKET_NOT_FOUND, FORBIDDEN
 */
export async function setTicketStatus(ctx: DeskContext, input: SetTicketStatusInput): Promise<StatusSet> {
  const viewer = requireViewer(ctx);
  const { raw } = ctx.desk.database;
  try {
    const ticketId = await findVisible(raw, viewer, resolveSelector(input.ticket));
    if (!isOperator(viewer))
      throw new Refusal('FORBIDDEN', 'Only operators may open and close tickets', undefined, ['status']);
    assertScope(viewer, 'write');
    const changed = await raw.begin((tx) =>
      write(tx as unknown as postgres.Sql, { ticketId, status: input.status, actorId: viewer.userId }),
    );
    return { ticketId, changed };
  } catch (error) {
    throw error instanceof Refusal ? error : asUnavailable(error);
  }
}

async function findVisible(
  sql: postgres.Sql,
  viewer: Viewer,
  { ticketId, reference }: ResolvedSelector,
): Promise<number> {
  const [found] = await sql<{ id: number }[]>`
    select id from tickets
    where (id = ${ticketId}::int or reference_key = lower(${reference}::text))
      and (${isOperator(viewer)}::bool or requester_id = ${viewer.userId})`;
  if (found === undefined)
    throw new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);
  return found.id;
}

interface Change {
  readonly ticketId: number;
  readonly status: TicketStatus;
  readonly actorId: number;
}

/** @returns whether there was anything to change: of two who ask at once, the second finds it done. */
async function write(tx: postgres.Sql, { ticketId, status, actorId }: Change): Promise<boolean> {
  const [changed] = await tx`
    update tickets set status = ${status} where id = ${ticketId} and status <> ${status} returning id`;
  if (changed === undefined) return false;
  const type = eventOf[status];
  await tx`
    insert into audit_entries (actor_id, action, ticket_id) values (${actorId}, ${type}, ${ticketId})`;
  await appendEvents(tx, ticketId, [
    { type, visibility: 'PUBLIC', actorId, messageId: null, deliveryId: null },
  ]);
  return true;
}
