import type { Problem } from '../../platform/errors.ts';
import { invalidInput } from '../invalid-input.ts';
import { decodePlace, encodePlace, type ListName, type Place } from './cursor.ts';

/** Most rows of one page. */
export const maxPageSize = 100;
/** Rows of a page when neither `first` nor `last` is given. */
export const defaultPageSize = 20;
/** Most rows that are counted, so that the cost does not grow with the table. */
export const maxCount = 1000;

/** A number of rows; `isExact` is false when there are more. */
export interface Count {
  readonly rows: number;
  readonly isExact: boolean;
}

/**
 * The count to show, of at most `maxCount` rows.
 * @param found the number of rows that a query found, which stops counting at `maxCount` + 1
 */
export const boundedCount = (found: number): Count => ({
  rows: Math.min(found, maxCount),
  isExact: found <= maxCount,
});

/** Selects a page: the first rows after a cursor, or the last rows before one; 20 rows without a size. */
export interface Paging {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * What a query needs to read a page: up to `limit` rows strictly between `after` and `before`, in the list's
 * order, or in the opposite order when `inverted`.
 */
export interface KeysetPage<P = number> {
  readonly after?: P | undefined;
  readonly before?: P | undefined;
  readonly limit: number;
  readonly inverted: boolean;
}

/** A row and its place in a list. */
export interface Edge<T> {
  readonly cursor: string;
  readonly node: T;
}

/**
 * One page of a list in the list's order, in the shape of a GraphQL connection. Both cursors of an empty page
 * are the cursor of the request, or null if it had none.
 */
export interface PageOf<T> {
  readonly edges: readonly Edge<T>[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/** How a list finds the places of its rows. */
interface Order<T> {
  /** Number of sort keys in a place. */
  readonly keys: number;
  placeOf(row: T): Place;
}

/**
 * The page that is requested without a cursor. Its limit is one row more than the page, as for `readPage`.
 * Undefined if there is a cursor, or the size is invalid.
 */
export function pageWithoutCursor(paging: Paging): KeysetPage | undefined {
  const { first, last, after, before } = paging;
  if (after != null || before != null || [...sizeProblems(paging)].length > 0) return undefined;
  return { limit: (first ?? last ?? defaultPageSize) + 1, inverted: first == null && last != null };
}

/**
 * Reads one page of a list that is ordered by id. Cursors hold row ids, so insertions do not shift a page. On
 * the side of the request's cursor, `pageInfo` reports another page without checking that there is one.
 * @param read reads the rows of a page (see `KeysetPage`); called with a limit of one row more than the page,
 *   which shows whether there is another page
 * @param problems those of the rest of the input, to be told with those of the size. If there are any,
 *   cursors are not judged: they belong to the list's conditions
 * @throws Refusal INVALID_INPUT for an invalid page size or cursor; what `read` throws
 */
export const readPage = <T extends { readonly id: number }>(
  list: ListName,
  paging: Paging,
  read: (page: KeysetPage) => Promise<readonly T[]>,
  problems?: readonly Problem[],
): Promise<PageOf<T>> =>
  readOrdered(
    list,
    paging,
    { keys: 1, placeOf: ({ id }) => [id] },
    ({ after, before, ...page }) => read({ ...page, after: after?.[0], before: before?.[0] }),
    problems,
  );

/**
 * Like `readPage`, for a list that is not ordered by id: cursors hold the sort keys of a row.
 * @param order the number of sort keys, and the function that returns those of a row
 */
export async function readOrdered<T>(
  list: ListName,
  paging: Paging,
  order: Order<T>,
  read: (page: KeysetPage<Place>) => Promise<readonly T[]>,
  problems: readonly Problem[] = [],
): Promise<PageOf<T>> {
  const cursors = problems.length > 0 ? [] : cursorProblems(list, paging, order.keys);
  const all = [...problems, ...sizeProblems(paging), ...cursors];
  if (all.length > 0) throw invalidInput(all);
  const { first, last } = paging;
  const placeIn = (cursor: string | null | undefined) =>
    cursor == null ? undefined : decodePlace(list, cursor, order.keys);
  const after = placeIn(paging.after);
  const before = placeIn(paging.before);
  const size = first ?? last ?? defaultPageSize;
  const inverted = first == null && (last != null || (before !== undefined && after === undefined));
  const rows = await read({ after, before, limit: size + 1, inverted });
  const more = rows.length > size;
  const nodes = rows.slice(0, size);
  if (inverted) nodes.reverse();
  const edges = nodes.map((node) => new LazyEdge(node, list, order));
  // An empty page keeps the cursor that it was requested with, if any.
  const nowhere = paging.after ?? paging.before ?? null;
  return {
    edges,
    pageInfo: {
      hasNextPage: inverted ? before !== undefined : more,
      hasPreviousPage: inverted ? more : after !== undefined,
      startCursor: edges.at(0)?.cursor ?? nowhere,
      endCursor: edges.at(-1)?.cursor ?? nowhere,
    },
  };
}

/** Makes its cursor on demand, because most answers show one cursor of a page. */
class LazyEdge<T> implements Edge<T> {
  readonly node: T;
  readonly #list: ListName;
  readonly #order: Order<T>;

  constructor(node: T, list: ListName, order: Order<T>) {
    this.node = node;
    this.#list = list;
    this.#order = order;
  }

  get cursor(): string {
    return encodePlace(this.#list, this.#order.placeOf(this.node));
  }
}

/** Yields the problems of the page size: both `first` and `last`, or a number that is not from 0 to 100. */
export function* sizeProblems({ first, last }: Pick<Paging, 'first' | 'last'>): Iterable<Problem> {
  for (const [name, size] of Object.entries({ first, last })) {
    if (size != null && (size < 0 || size > maxPageSize))
      yield { path: [name], message: `"${name}" must be 0 to ${maxPageSize}` };
  }
  if (first != null && last != null) yield { path: ['last'], message: 'Give "first" or "last", not both' };
}

function* cursorProblems(list: ListName, { after, before }: Paging, keys: number): Iterable<Problem> {
  for (const [name, cursor] of Object.entries({ after, before })) {
    if (cursor != null && decodePlace(list, cursor, keys) === undefined)
      yield { path: [name], message: `"${name}" is not a cursor of this list` };
  }
}
