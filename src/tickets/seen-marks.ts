import { type SQL, sql } from 'drizzle-orm';
import type { Db, Reader } from '../db/database.ts';
import { preparePerPool } from '../db/prepare-per-pool.ts';
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
  /** The last message that the viewer has seen: its number, not its global id. */
  readonly messageId: number;
}

/** The ticket that was marked as seen. */
export interface SeenTicket {
  readonly ticketId: number;
}

/**
 * `countUnseen` counts among at most this many messages of a ticket, so this is its highest count.
 */
export const mostUnseen = 100;

const int = (name: string): SQL => sql`${sql.placeholder(name)}::int`;
/** Whether the viewer may see a message of a ticket that they may see. */
const visible = sql`(${sql.placeholder('operator')}::bool or m.visibility = 'PUBLIC')`;

const mark = preparePerPool((db: Db) =>
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
 * nothing. No event is written.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`; TICKET_NOT_FOUND; MESSAGE_NOT_FOUND
 *   also for a message of another ticket, or one that the viewer may not see
 * @throws Unavailable when the database does not answer
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

const count = preparePerPool((db: Reader) =>
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
 * By ticket id, how many messages by others the viewer has not seen; without a mark, that is every one. Each
 * given ticket has a number. It is counted among the newest `mostUnseen` messages after the mark, the
 * viewer's own included, so that a long ticket costs no more than a short one. The caller passes only tickets
 * that the viewer may see.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`
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
