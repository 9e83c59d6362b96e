import { type SQL, sql } from 'drizzle-orm';
import type { Db, Reader } from '../db/database.ts';
import { preparedFor } from '../db/prepare-once.ts';
import { messages, seenMarks } from '../db/tables.ts';
import { asUnavailable } from '../platform/database-faults.ts';
import { Refusal } from '../platform/errors.ts';
import type { TicketContext } from './context.ts';
import { isOperator, requireViewer } from './permissions.ts';
import { findTicket } from './read/tickets.ts';
import { refuse } from './refusals-by-command.ts';
import { type TicketSelector, ticketNotFound } from './ticket-selector.ts';

/** Input of `markSeen`. */
export interface MarkSeenInput {
  readonly ticket: TicketSelector;
  /** The last message that the viewer has seen. */
  readonly messageId: number;
}

/** The ticket that was marked as seen. */
export interface SeenTicket {
  readonly ticketId: number;
}

/** Most messages after the mark that are looked at. */
export const mostUnseen = 100;

const int = (name: string): SQL => sql`${sql.placeholder(name)}::int`;
/** Whether the viewer may see a message of a ticket that they may see. */
const visible = sql`(${sql.placeholder('operator')}::bool or m.visibility = 'PUBLIC')`;

const mark = preparedFor((db: Db) =>
  db
    .insert(seenMarks)
    .select(
      sql`select ${int('viewerId')}, m.ticket_id, m.id from ${messages} m
        where m.id = ${int('messageId')} and m.ticket_id = ${int('ticketId')} and ${visible}`,
    )
    .onConflictDoUpdate({
      target: [seenMarks.userId, seenMarks.ticketId],
      set: { messageId: sql`greatest(${seenMarks.messageId}, excluded.message_id)` },
    })
    .returning({ ticketId: seenMarks.ticketId })
    .prepare('mark_seen'),
);

/**
 * Records that the viewer has seen a ticket up to a message. A message before the recorded one changes
 * nothing.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, TICKET_NOT_FOUND, MESSAGE_NOT_FOUND; Unavailable
 */
export async function markSeen(ctx: TicketContext, input: MarkSeenInput): Promise<SeenTicket> {
  const viewer = requireViewer(ctx, 'read');
  const ticket = await findTicket(ctx, input.ticket);
  if (ticket === undefined) throw refuse<'markSeen'>(ticketNotFound());
  const { messageId } = input;
  const values = { viewerId: viewer.userId, messageId, ticketId: ticket.id, operator: isOperator(viewer) };
  const [marked] = await mark(ctx.services.database.commands)
    .execute(values)
    .catch((error) => {
      throw asUnavailable(error);
    });
  if (marked === undefined)
    throw refuse<'markSeen'>(
      new Refusal('MESSAGE_NOT_FOUND', 'There is no such message in this ticket', undefined, ['message']),
    );
  return { ticketId: ticket.id };
}

const count = preparedFor((db: Reader) =>
  db
    .select({ ticketId: sql<number>`t.id`, unseen: sql<number>`n.unseen` })
    .from(
      sql`unnest(${sql.placeholder('ids')}::int[]) t (id) cross join lateral (
        select count(*)::int as unseen from (
          select m.author_id from ${messages} m
          where m.ticket_id = t.id and ${visible} and m.id > coalesce((
            select s.message_id from ${seenMarks} s
            where s.user_id = ${int('viewerId')} and s.ticket_id = t.id), 0)
          order by m.id desc limit ${sql.raw(String(mostUnseen))}
        ) m where m.author_id <> ${int('viewerId')}
      ) n`,
    )
    .prepare('count_unseen'),
);

/**
 * By ticket id, how many messages by others the viewer has not seen; without a mark, that is every one. Only
 * the newest `mostUnseen` after the mark are looked at, the viewer's own among them, so that a long ticket
 * costs no more than a short one. The tickets must be visible to the viewer.
 */
export async function countUnseen(
  ctx: TicketContext,
  ticketIds: readonly number[],
): Promise<Map<number, number>> {
  const viewer = requireViewer(ctx, 'read');
  const values = { ids: ticketIds, viewerId: viewer.userId, operator: isOperator(viewer) };
  const rows = await ctx.services.database.readAs(viewer, (db) => count(db).execute(values));
  return new Map(rows.map(({ ticketId, unseen }) => [ticketId, unseen]));
}
