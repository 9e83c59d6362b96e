import { sql } from 'drizzle-orm';
import type { Reader } from '../../db/database.ts';
import { preparePerPool } from '../../db/prepare-per-pool.ts';
import { messages } from '../../db/tables.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { isOperator, requireViewer } from '../permissions.ts';
import { digestOf, type ListName, type Place } from './cursor.ts';
import { type KeysetPage, type PageOf, type Paging, readOrdered } from './pagination.ts';
import { judgeText, messagesWith, ownMessagesWith, ownTicketsWith, ticketsWith } from './search-text.ts';

/** A result of a search: a ticket, or a message of a ticket. */
export interface Hit {
  /** The ticket that was found, or that of the message. */
  readonly ticketId: number;
  /** The message that was found; null when it is the ticket. */
  readonly messageId: number | null;
}

const text = sql`${sql.placeholder('text')}::text`;
const viewer = sql`${sql.placeholder('viewerId')}::int`;
const before = sql`${sql.placeholder('before')}::int`;
const limit = sql`${sql.placeholder('limit')}::int`;

const prepare = (byOperators: boolean) =>
  preparePerPool((db: Reader) => {
    const of = byOperators ? 'operators' : 'requesters';
    const tickets = byOperators ? ticketsWith(text, before, limit) : ownTicketsWith(text, before);
    const found = byOperators ? messagesWith(text, before, limit) : ownMessagesWith(text, viewer, before);
    return {
      tickets: db
        .select({ ticketId: sql<number>`id` })
        .from(sql`(${tickets}) t (id)`)
        .orderBy(sql`id desc`)
        .limit(sql.placeholder('limit'))
        .prepare(`search_tickets_of_${of}`),
      messages: db
        .select({ ticketId: messages.ticketId, messageId: messages.id })
        .from(messages)
        .where(sql`${messages.id} = any (array(${found}))`)
        .orderBy(sql`${messages.id} desc`)
        .limit(sql.placeholder('limit'))
        .prepare(`search_messages_of_${of}`),
    };
  });
const statements = { operators: prepare(true), requesters: prepare(false) };

/** What is searched. */
export type SearchPart = 'TICKETS' | 'MESSAGES';

/** Input of `search`. */
export interface SearchInput {
  /** Up to 200 characters. Words in any order; `"…"` is a phrase, `-word` excludes, and `or` is a choice. */
  readonly text: string;
  /** Null: both. */
  readonly part: SearchPart | null;
}

/**
 * Searches the tickets and messages that the viewer may see: first tickets, then messages, the newest of each
 * first. For requesters, only their newest tickets and messages are searched. A search waits for its turn.
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`; INVALID_INPUT for the text, the page's
 *   size or its cursor
 * @throws Unavailable when too many searches are under way
 */
export async function search(
  ctx: TicketContext,
  { text: given, part }: SearchInput,
  paging: Pick<Paging, 'first' | 'after'>,
): Promise<PageOf<Hit>> {
  const asking = requireViewer(ctx, 'read');
  const { text: wanted, problems } = judgeText(given, ['text']);
  const of = isOperator(asking) ? 'operators' : 'requesters';
  // A cursor is one number: negative for a ticket's id, positive for a message's.
  const order = { keys: 1, placeOf: ({ ticketId, messageId }: Hit) => [messageId ?? -ticketId] };
  const list: ListName = `hits of ${of} ${digestOf([wanted, part])}`;
  const read = async (page: KeysetPage<Place>) => {
    const place = page.after?.[0] ?? -largestId;
    return inTurn(ctx, asking, async (db) => {
      const find = statements[of](db);
      const values = { text: wanted, viewerId: asking.userId };
      const tickets =
        place > 0 || part === 'MESSAGES'
          ? []
          : await find.tickets.execute({ ...values, before: -place, limit: page.limit });
      const hits: Hit[] = tickets.map(({ ticketId }) => ({ ticketId, messageId: null }));
      const rest = page.limit - hits.length;
      if (rest === 0 || part === 'TICKETS') return hits;
      const from = place > 0 ? place : largestId;
      return [...hits, ...(await find.messages.execute({ ...values, before: from, limit: rest }))];
    });
  };
  return readOrdered(list, paging, order, read, problems);
}

/**
 * Reads when it is the viewer's turn. A phrase of words that are in most messages takes the database seconds,
 * so many searches at once would leave no connection to anybody else's reads.
 */
const inTurn = <T>({ services }: TicketContext, viewer: Viewer, read: (db: Reader) => Promise<T>) =>
  services.searchTurns[viewer.role].run(viewer.userId, () => services.database.readAs(viewer, read));

const largestId = 2_147_483_647;
