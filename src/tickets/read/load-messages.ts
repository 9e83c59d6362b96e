import { and, eq, getTableColumns, inArray, type SQL, sql } from 'drizzle-orm';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { messages, tickets } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../permissions.ts';

/** A row of `messages`. Its body may be left out. */
export type Message = Readonly<Omit<typeof messages.$inferSelect, 'body'>> & {
  /** As written; empty once redacted. Null if it was left out; then use `loadBodies`. */
  readonly body: string | null;
  /** Size of the body in bytes of UTF-8. Undefined in the result of adding the message. */
  readonly bodyBytes?: number;
};

/** Whether the viewer may read the body as written. Only operators may read unsanitized HTML. */
export const mayReadSource = (viewer: Viewer | undefined, { format }: Pick<Message, 'format'>): boolean =>
  format === 'TEXT' || (viewer !== undefined && isOperator(viewer));

const bytesOfAll = sql`sum(octet_length(${messages.body})) over ()`;
const messageColumns = {
  ...getTableColumns(messages),
  body: sql<
    string | null
  >`case when ${bytesOfAll} <= ${sql.placeholder('bodyBytes')}::bigint then ${messages.body} end`,
  bodyBytes: sql<number>`octet_length(${messages.body})`,
};

/**
 * SQL condition for the messages that the viewer may see; undefined for operators, who see all. Row-level
 * security applies the same rule. A subquery looks up each message's ticket by its key: for a join,
 * PostgreSQL would start with all tickets of the requester.
 */
export const visibleMessages = (viewer: Viewer): SQL | undefined =>
  isOperator(viewer) ? undefined : visibleTo(sql`${viewer.userId}`);

const visibleTo = (requesterId: SQL): SQL => sql`${messages.visibility} = 'PUBLIC' and (
  select ${tickets.requesterId} from ${tickets} where ${tickets.id} = ${messages.ticketId}
) = ${requesterId}`;

const prepare = (visible: SQL | undefined) =>
  preparePerPool((db) =>
    db
      .select(messageColumns)
      .from(messages)
      .where(and(sql`${messages.id} = any (${sql.placeholder('ids')}::int[])`, visible))
      .prepare(visible === undefined ? 'load_messages' : 'load_public_messages'),
  );
const statements = {
  operators: prepare(undefined),
  requesters: prepare(visibleTo(sql`${sql.placeholder('viewerId')}::int`)),
};

/**
 * Messages by id that the viewer may see. Others are missing from the result. No scope is needed.
 * @param bodyBytes limit for all bodies together, in bytes; when it is exceeded, all bodies are left out
 * @throws Refusal UNAUTHENTICATED
 */
export async function loadMessages(
  ctx: TicketContext,
  ids: readonly number[],
  bodyBytes: number,
): Promise<Map<number, Message>> {
  const viewer = requireViewer(ctx);
  const given = { ids: [...ids], bodyBytes };
  // All operators see the same messages and share loaded rows, so who the operator is must not be read here.
  const [select, values] = isOperator(viewer)
    ? [statements.operators, given]
    : [statements.requesters, { ...given, viewerId: viewer.userId }];
  const rows = await ctx.services.database.readAs(viewer, (db) => select(db).execute(values));
  return new Map(rows.map((row) => [row.id, row]));
}

/**
 * Bodies, as written, of messages that the viewer may see, by message id. Others are missing from the result.
 * Their size is not limited. No scope is needed.
 * @throws Refusal UNAUTHENTICATED
 */
export async function loadBodies(ctx: TicketContext, ids: readonly number[]): Promise<Map<number, string>> {
  const viewer = requireViewer(ctx);
  const rows = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select({ id: messages.id, body: messages.body })
      .from(messages)
      .where(and(inArray(messages.id, [...ids]), visibleMessages(viewer))),
  );
  return new Map(rows.map(({ id, body }) => [id, body]));
}

/**
 * Ids of up to 50 messages of the ticket that the viewer may see and whose ids are greater than `after`,
 * oldest first. Empty for a ticket that the viewer may not see.
 */
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
      .where(and(eq(messages.ticketId, ticketId), sql`${messages.id} > ${after}`, visibleMessages(viewer)))
      .orderBy(messages.id)
      .limit(50),
  );
  return rows.map(({ id }) => id);
}
