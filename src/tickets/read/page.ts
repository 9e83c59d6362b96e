import type { Problem } from '../../platform/errors.ts';
import { invalidInput } from '../refusals.ts';
import { decodeCursor, encodeCursor, type ListName } from './cursor.ts';

/** Most rows of one page. */
export const maxPageSize = 100;
/** Rows of a page when neither `first` nor `last` is given. */
export const defaultPageSize = 20;
/** Most rows that are counted, so that the cost does not grow with the table. */
export const maxCount = 10_000;

/** Selects a page: the first rows after a cursor, or the last rows before one. */
export interface Paging {
  readonly first?: number | null | undefined;
  readonly last?: number | null | undefined;
  readonly after?: string | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * What a query needs to read a page: rows strictly between the sort keys `after` and `before`, in the list's
 * order, or in the opposite order when `inverted`.
 */
export interface KeysetPage {
  readonly after?: number | undefined;
  readonly before?: number | undefined;
  readonly limit: number;
  readonly inverted: boolean;
}

/** One page of a list, in the shape of a GraphQL connection. */
export interface PageOf<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: {
    readonly hasNextPage: boolean;
    readonly hasPreviousPage: boolean;
    readonly startCursor: string | null;
    readonly endCursor: string | null;
  };
}

/**
 * Reads one page of a list. Cursors hold row ids, so insertions do not shift a page.
 * @param read reads rows; called with a limit of one row more than the page, which shows whether there is
 *   another page
 * @throws Refusal INVALID_INPUT for an invalid page size or cursor
 */
export async function readPage<T extends { readonly id: number }>(
  list: ListName,
  paging: Paging,
  read: (page: KeysetPage) => Promise<readonly T[]>,
): Promise<PageOf<T>> {
  const problems = [...sizeProblems(paging), ...cursorProblems(list, paging)];
  if (problems.length > 0) throw invalidInput(problems);
  const { first, last } = paging;
  const after = placeOf(list, paging.after);
  const before = placeOf(list, paging.before);
  const size = first ?? last ?? defaultPageSize;
  const inverted = first == null && (last != null || (before !== undefined && after === undefined));
  const rows = await read({ after, before, limit: size + 1, inverted });
  const more = rows.length > size;
  const nodes = rows.slice(0, size);
  if (inverted) nodes.reverse();
  const edges = nodes.map((node) => ({ cursor: encodeCursor(list, node.id), node }));
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

const placeOf = (list: ListName, cursor: string | null | undefined): number | undefined =>
  cursor == null ? undefined : decodeCursor(list, cursor);

/** Problems of the page size: both `first` and `last`, or a number out of range. */
export function* sizeProblems({ first, last }: Pick<Paging, 'first' | 'last'>): Iterable<Problem> {
  for (const [name, size] of Object.entries({ first, last })) {
    if (size != null && (size < 0 || size > maxPageSize))
      yield { path: [name], message: `"${name}" must be 0 to ${maxPageSize}` };
  }
  if (first != null && last != null) yield { path: ['last'], message: 'Give "first" or "last", not both' };
}

function* cursorProblems(list: ListName, { after, before }: Paging): Iterable<Problem> {
  for (const [name, cursor] of Object.entries({ after, before })) {
    if (cursor != null && decodeCursor(list, cursor) === undefined)
      yield { path: [name], message: `"${name}" is not a cursor of this list` };
  }
}
