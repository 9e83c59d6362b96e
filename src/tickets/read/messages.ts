import { and, eq, getTableColumns, inArray, type SQL, sql } from 'drizzle-orm';
import type { Viewer } from '../../context.ts';
import { messages, tickets } from '../../db/tables.ts';
import type { DeskContext } from '../desk.ts';
import { isOperator, requireViewer } from '../policy.ts';

/** A row of `messages`, whole. `body` is as written. */
export type Message = Readonly<typeof messages.$inferSelect>;

/** The body as written: HTML as written is not safe to show, and operators alone get it. */
export const bodyFor = (viewer: Viewer | undefined, { body, format }: Message): string | null =>
  format === 'TEXT' || (viewer !== undefined && isOperator(viewer)) ? body : null;

const messageColumns = getTableColumns(messages);

/** The rule of who sees a message; needs `tickets` joined. Row-level security says the same again. */
export const visibleMessages = (viewer: Viewer): SQL | undefined =>
  isOperator(viewer)
    ? undefined
    : and(eq(messages.visibility, 'PUBLIC'), eq(tickets.requesterId, viewer.userId));

/** Visible messages by id; the others are missing from the answer. */
export async function loadMessages(ctx: DeskContext, ids: readonly number[]): Promise<Map<number, Message>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.desk.database.readAs(viewer, (db) =>
    db
      .select(messageColumns)
      .from(messages)
      .innerJoin(tickets, eq(tickets.id, messages.ticketId))
      .where(and(inArray(messages.id, [...ids]), visibleMessages(viewer))),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** Ids of the ticket's visible messages after one, the oldest first, 50 at most. */
export async function listMessagesAfter(
  ctx: DeskContext,
  viewer: Viewer,
  ticketId: number,
  after: number,
): Promise<number[]> {
  const rows = await ctx.desk.database.readAs(viewer, (db) =>
    db
      .select({ id: messages.id })
      .from(messages)
      .innerJoin(tickets, eq(tickets.id, messages.ticketId))
      .where(and(eq(messages.ticketId, ticketId), sql`${messages.id} > ${after}`, visibleMessages(viewer)))
      .orderBy(messages.id)
      .limit(50),
  );
  return rows.map(({ id }) => id);
}
