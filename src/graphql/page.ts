import { type ResolveCursorConnectionArgs, resolveCursorConnection } from '@pothos/plugin-relay';
import type { Page } from '../tickets/ticket.ts';

/** Edges of one page at most; what asks for more gets this many. */
export const maxPageSize = 100;
export const defaultPageSize = 20;

interface Args {
  first?: number | null | undefined;
  last?: number | null | undefined;
  after?: string | null | undefined;
  before?: string | null | undefined;
}

/** A Relay connection over a keyset: cursors are identifiers, so a page stays where it is whatever is added meanwhile. */
export async function connectionOf<T extends { readonly id: number }>(
  args: Args,
  list: (page: Page) => Promise<readonly T[]>,
) {
  const { edges, pageInfo } = await resolveCursorConnection<Promise<T[]>>(
    { args, defaultSize: defaultPageSize, maxSize: maxPageSize, toCursor: (value: T) => String(value.id) },
    async ({ after, before, limit, inverted }: ResolveCursorConnectionArgs) => [
      ...(await list({ after: idOf(after), before: idOf(before), limit, inverted })),
    ],
  );
  // An empty page goes on from where it was asked for; asked for from nowhere, it has no cursor at all.
  const { startCursor, endCursor } = pageInfo;
  return { edges, pageInfo: { ...pageInfo, startCursor: startCursor || null, endCursor: endCursor || null } };
}

function idOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  // A cursor that is none of ours stands before the first row.
  return /^\d{1,10}$/.test(cursor) ? Math.min(Number(cursor), 2_147_483_647) : 0;
}

/** What a page may cost, for the limit on a document's complexity. */
export const pageComplexity = ({ first, last }: Args) => ({
  field: 1,
  multiplier: Math.max(1, Math.min(first ?? last ?? defaultPageSize, maxPageSize)),
});
