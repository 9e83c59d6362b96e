import { type SQL, sql } from 'drizzle-orm';
import { messages, tickets } from '../../../db/tables.ts';
import type { TicketContext } from '../../context.ts';
import { isOperator, requireViewer } from '../../permissions.ts';
import { resolveSelector, type TicketSelector } from '../../ticket-selector.ts';
import type { KeysetPage } from '../pagination.ts';
import { decodeRows, type PageMessage, type PageTicket } from './decode-rows.ts';
import { type ConversationReads, conversationStatement, flag, int, ticketColumns } from './statement.ts';

interface PageValues extends ConversationReads, Record<string, unknown> {
  /** Null for operators, because all operators see the same pages. */
  readonly viewerId: number | null;
  readonly after: number;
  readonly before: number;
  readonly limit: number;
}

const chosenBy = (named: SQL): SQL => sql`
  select ${ticketColumns} from ${tickets}
  where ${named} and (${tickets.requesterId} = ${int('viewerId')} or ${flag('operator')})`;

/** The same page of each chosen ticket. */
const page = (order: 'asc' | 'desc'): SQL => sql`
  select m.* from chosen cross join lateral (
    select ${messages}.* from ${messages}
    where ${messages.ticketId} = chosen.id and (${messages.visibility} = 'PUBLIC' or ${flag('operator')})
      and ${messages.id} > ${int('after')} and ${messages.id} < ${int('before')}
    order by ${messages.id} ${sql.raw(order)} limit ${int('limit')}
  ) m`;

const statementsOf = (named: SQL) => ({
  asc: conversationStatement<PageValues>(chosenBy(named), page('asc')),
  desc: conversationStatement<PageValues>(chosenBy(named), page('desc')),
});
const byIds = statementsOf(sql`${tickets.id} = any (${sql.placeholder('ids')}::int[])`);
const byReference = statementsOf(sql`${tickets.referenceKey} = lower(${sql.placeholder('reference')}::text)`);

/** What is read of each message in addition to its author. */
export type WantedParts = Pick<ConversationReads, 'bodyBytes' | 'files' | 'mails'>;

/**
 * Reads the same page of each ticket's visible messages, by ticket id. The bounds are ids of messages, the
 * limit is for each ticket, and the newest come first if the page is inverted. A ticket that does not exist
 * or that the viewer may not see has an empty page. If the bodies of all tickets together are longer than
 * `wanted.bodyBytes`, all are null. The callers require the scope `read`, which is not checked here.
 * @throws Refusal UNAUTHENTICATED
 */
export async function listMessages(
  ctx: TicketContext,
  ids: readonly number[],
  of: KeysetPage,
  wanted: WantedParts,
): Promise<Map<number, PageMessage[]>> {
  const found = await read(ctx, byIds, { ids }, of, wanted);
  const byTicket = new Map<number, PageMessage[]>(ids.map((id) => [id, []]));
  for (const message of found.messages) byTicket.get(message.ticketId)!.push(message);
  return byTicket;
}

/** A ticket with a page of its messages. */
export interface TicketWithMessages {
  readonly ticket: PageTicket;
  readonly messages: readonly PageMessage[];
}

/**
 * Finds a ticket with its requester and a page of its visible messages, as `listMessages` does, in one
 * statement. Undefined both when the ticket does not exist and when the viewer may not see it.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`
 */
export async function findWithMessages(
  ctx: TicketContext,
  by: TicketSelector,
  of: KeysetPage,
  wanted: WantedParts,
): Promise<TicketWithMessages | undefined> {
  requireViewer(ctx, 'read');
  const { ticketId, reference } = resolveSelector(by);
  const found = await (ticketId === null
    ? read(ctx, byReference, { reference }, of, wanted)
    : read(ctx, byIds, { ids: [ticketId] }, of, wanted));
  const [ticket] = found.tickets;
  return ticket && { ticket, messages: found.messages };
}

async function read(
  ctx: TicketContext,
  statements: typeof byIds,
  named: Readonly<Record<string, unknown>>,
  { after = 0, before = 2_147_483_647, limit, inverted }: KeysetPage,
  wanted: WantedParts,
) {
  const viewer = requireViewer(ctx);
  const operator = isOperator(viewer);
  const values = {
    ...{ ...named, ...wanted, after, before, limit, operator, requesters: true, lastMessages: false },
    viewerId: operator ? null : viewer.userId,
  };
  const statement = statements[inverted ? 'desc' : 'asc'];
  const found = decodeRows(await ctx.services.database.readTextsAs(viewer, statement, values), values);
  found.messages.sort((a, b) => (inverted ? b.id - a.id : a.id - b.id));
  return found;
}
