import type { Problem } from '../../platform/errors.ts';
import { firstStorable, lastStorable } from '../../platform/instants.ts';
import type { Viewer } from '../../platform/request-context.ts';
import { ticketStatuses } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { filterIdProblems, invalidInput } from '../invalid-input.ts';
import { assertOperator, isOperator, requireViewer } from '../permissions.ts';
import { resolveSelector } from '../ticket-selector.ts';
import { decodeRows, type PageTicket } from './conversation/decode-rows.ts';
import { digestOf, type ListName, type Place } from './cursor.ts';
import {
  boundedCount,
  type Count,
  type KeysetPage,
  maxCount,
  type PageOf,
  type Paging,
  readOrdered,
} from './pagination.ts';
import { judgeText } from './search-text.ts';
import {
  type ListPlaceholders,
  listStatementOf,
  type RequestedParts,
  type TicketFilter,
  type TicketListShape,
  type TicketOrder,
} from './ticket-list-statement.ts';
import type { Ticket } from './tickets.ts';

/** Input of `listTickets` and `countTickets`. */
export interface TicketListInput {
  readonly filter: TicketFilter;
  readonly orderBy: TicketOrder;
}

/**
 * A page of the tickets that the viewer may see: the most recently active first for LAST_MESSAGE, the newest
 * first for CREATED. With a text, tickets are chosen among the 1,000 newest that match it, and a requester's
 * among their 2,000 newest of each status; such a list waits for its turn as a search.
 * @param parts what is read of each ticket besides its own columns
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN without the scope `read`, and for `hasUnsettledDelivery` of a
 *   requester; INVALID_INPUT for the text, the requester, the page's size or its cursors
 * @throws Unavailable when too many searches are under way
 */
export async function listTickets(
  ctx: TicketContext,
  given: TicketListInput,
  paging: Paging,
  parts: RequestedParts,
): Promise<PageOf<PageTicket>> {
  const { viewer, input, problems } = begin(ctx, given);
  const isByTime = input.orderBy === 'LAST_MESSAGE';
  const placeOf = ({ id, activeAt }: PageTicket): Place => (isByTime ? [activeAt.getTime(), id] : [id]);
  const timeOf = ({ activeAt }: Ticket): number => activeAt.getTime();
  const read = async (page: KeysetPage<Place>) => {
    const values = { ...valuesOf(viewer, input, page), ...parts, operator: isOperator(viewer) };
    const statement = listStatementOf(shapeOf(viewer, input, page.inverted)).page;
    const rows = await inTurn(ctx, viewer, input, () =>
      ctx.services.database.readTextsAs(
        viewer,
        statement,
        values,
        input.filter.text == null ? 'SHORT' : 'LONG',
      ),
    );
    const found = decodeRows(rows, values);
    const [sign, by] = [page.inverted ? 1 : -1, isByTime ? timeOf : () => 0];
    return found.tickets.sort((a, b) => sign * (by(a) - by(b) || a.id - b.id));
  };
  const order = { keys: isByTime ? 2 : 1, placeOf };
  return readOrdered(listName(viewer, input), paging, order, read, problems);
}

/**
 * Number of tickets on all pages of `listTickets`, counted up to `maxCount`.
 * @throws Refusal and Unavailable as `listTickets`
 */
export async function countTickets(ctx: TicketContext, given: TicketListInput): Promise<Count> {
  const { viewer, input, problems } = begin(ctx, given);
  if (problems.length > 0) throw invalidInput(problems);
  const everything = { limit: maxCount + 1, inverted: false };
  const [row] = await inTurn(ctx, viewer, input, () =>
    ctx.services.database.readAs(viewer, (db) =>
      listStatementOf(shapeOf(viewer, input, false))
        .count(db)
        .execute(valuesOf(viewer, input, everything)),
    ),
  );
  return boundedCount(row!.count);
}

/** A list by words is a search, which waits for its turn. */
const inTurn = <T>(
  { services }: TicketContext,
  viewer: Viewer,
  { filter }: TicketListInput,
  read: () => Promise<T>,
): Promise<T> => (filter.text == null ? read() : services.searchTurns[viewer.role].run(viewer.userId, read));

interface Begun {
  readonly viewer: Viewer;
  /** With the text as it is searched for. */
  readonly input: TicketListInput;
  readonly problems: readonly Problem[];
}

function begin(ctx: TicketContext, input: TicketListInput): Begun {
  const viewer = requireViewer(ctx, 'read');
  const { hasUnsettledDelivery, requesterId, text } = input.filter;
  if (hasUnsettledDelivery != null)
    assertOperator(viewer, 'see deliveries', ['filter', 'hasUnsettledDelivery']);
  const judged = text == null ? undefined : judgeText(text, ['filter', 'text']);
  const problems = [...filterIdProblems(requesterId, 'person', 'requester'), ...(judged?.problems ?? [])];
  const filter = judged === undefined ? input.filter : { ...input.filter, text: judged.text };
  return { viewer, input: { ...input, filter }, problems };
}

/**
 * Cursors belong to a filter, an order, and either operators or requesters: each has other rows or places.
 */
function listName(viewer: Viewer, { filter, orderBy }: TicketListInput): ListName {
  const given = Object.entries(filter).filter(([, value]) => value != null);
  return `tickets by ${orderBy} for ${isOperator(viewer) ? 'operators' : 'requesters'} ${digestOf(given)}`;
}

const shapeOf = (
  viewer: Viewer,
  { filter, orderBy }: TicketListInput,
  ascending: boolean,
): TicketListShape => ({
  ...{ byOperator: isOperator(viewer), orderBy, ascending, byStatus: filter.status != null },
  byRequester: filter.requesterId != null,
  byReference: filter.reference != null,
  byText: filter.text != null,
  updatedAfter: filter.updatedAfter != null,
  hasUnsettledDelivery: filter.hasUnsettledDelivery ?? null,
});

function valuesOf(
  viewer: Viewer,
  { filter, orderBy }: TicketListInput,
  page: KeysetPage<Place>,
): ListPlaceholders {
  // The list is in descending order, so rows after a cursor have lower values.
  const { before: above = [], after: below = [], limit } = page;
  const since = filter.updatedAfter?.getTime() ?? Number.NEGATIVE_INFINITY;
  const from = orderBy === 'LAST_MESSAGE' && since >= (above[0] ?? Number.NEGATIVE_INFINITY);
  return {
    statuses: filter.status == null ? ticketStatuses : [filter.status],
    viewerId: viewer.userId,
    requesterId: filter.requesterId ?? 0,
    reference: resolveSelector({ reference: filter.reference ?? '' }).reference ?? '',
    text: filter.text ?? '',
    updatedAfter: at(since, '-infinity'),
    above: at(from ? since : orderBy === 'LAST_MESSAGE' ? above[0] : undefined, '-infinity'),
    aboveId: from && Number.isFinite(since) ? largestId : (above.at(-1) ?? 0),
    below: at(orderBy === 'LAST_MESSAGE' ? below[0] : undefined, 'infinity'),
    belowId: below.at(-1) ?? largestId,
    limit,
  };
}

const largestId = 2_147_483_647;

/**
 * An instant as PostgreSQL reads it. A forged cursor or a filter may contain one that PostgreSQL rejects. No
 * ticket has such an instant.
 */
function at(ms: number | undefined, none: '-infinity' | 'infinity'): string {
  if (ms === undefined) return none;
  if (ms < firstStorable) return '-infinity';
  return ms > lastStorable ? 'infinity' : new Date(ms).toISOString();
}
