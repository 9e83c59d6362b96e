import { and, eq, getTableColumns, inArray, type SQL, sql } from 'drizzle-orm';
import { messages, tickets } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../policy.ts';

/** A row of `messages`, whole, but for a long body. */
export type Message = Readonly<Omit<typeof messages.$inferSelect, 'body'>> & {
  /** As written; null where it was left out, as what was read together is long: `loadBodies` has it. */
  readonly body: string | null;
  /** UTF-8 bytes of a body that was left out. */
  readonly bodyBytes?: number;
};

/** HTML as written is not safe to show: operators alone get it. */
export const mayReadSource = (viewer: Viewer | undefined, { format }: Pick<Message, 'format'>): boolean =>
  format === 'TEXT' || (viewer !== undefined && isOperator(viewer));

const messageColumns = (bodyBytes: number) => ({
  ...getTableColumns(messages),
  body: sql<
    string | null
  >`case when sum(octet_length(${messages.body})) over () <= ${bodyBytes} then ${messages.body} end`,
  bodyBytes: sql<number>`octet_length(${messages.body})`,
});

/** The rule of who sees a message; needs `tickets` joined. Row-level security says the same again. */
export const visibleMessages = (viewer: Viewer): SQL | undefined =>
  isOperator(viewer)
    ? undefined
    : and(eq(messages.visibility, 'PUBLIC'), eq(tickets.requesterId, viewer.userId));

/**
 * Visible messages by id; the others are missing from the answer.
 * @param bodyBytes bytes of all bodies together up to which they are read as well
 */
export async function loadMessages(
  ctx: TicketContext,
  ids: readonly number[],
  bodyBytes: number,
): Promise<Map<number, Message>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select(messageColumns(bodyBytes))
      .from(messages)
      .innerJoin(tickets, eq(tickets.id, messages.ticketId))
      .where(and(inArray(messages.id, [...ids]), visibleMessages(viewer))),
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** What visible messages say, by their ids. */
export async function loadBodies(ctx: TicketContext, ids: readonly number[]): Promise<Map<number, string>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select({ id: messages.id, body: messages.body })
      .from(messages)
      .innerJoin(tickets, eq(tickets.id, messages.ticketId))
      .where(and(inArray(messages.id, [...ids]), visibleMessages(viewer))),
  );
  return new Map(rows.map(({ id, body }) => [id, body]));
}

/** Ids of the ticket's visible messages after one, the oldest first, 50 at most. */
export async function listMessagesAfter(
  ctx: TicketContext,
  viewer: Viewer,
  ticketId: number,
  after: number,
): Promise<number[]> {
  const rows = await ctx.services.database.readAs(viewer, (db) =>
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
