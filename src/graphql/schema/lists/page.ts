import {
  type Count,
  defaultPageSize,
  maxCount,
  maxPageSize,
  type PageOf,
  type Paging,
} from '../../../tickets/read/pagination.ts';

/** A list that is counted only when `totalCount` or `totalCountIsExact` is selected. */
export interface Countable {
  readonly count: () => Count | Promise<Count>;
}

/**
 * A page as a connection: the page with a `count` for `totalCount` and `totalCountIsExact`.
 * @param count counts all rows of the list; it is called once at most, when one of these fields is resolved
 */
export const connectionOf = <T>(page: PageOf<T>, count: Countable['count']) => ({
  ...page,
  count: once(count),
});

/**
 * The options of the field `totalCount` of a connection, for Pothos's `t.int`. It is null only with an error.
 * @param complexity the cost of counting, in fields. The page's size multiplies it
 */
export const totalCount = (complexity: number) =>
  ({
    nullable: true,
    complexity,
    description:
      `Number of rows in all pages. Where rows have to be counted, counting stops at ${maxCount}: if ` +
      '`totalCountIsExact` is false then, show `1000+`.',
    resolve: async ({ count }: Countable) => (await count()).rows,
  }) as const;

/**
 * The options of the field `totalCountIsExact` of a connection, for Pothos's `t.boolean`. It is null only
 * together with `totalCount`.
 * @param complexity the same as for `totalCount`
 */
export const totalCountIsExact = (complexity: number) =>
  ({
    nullable: true,
    complexity,
    description: '`false` when there are more rows than `totalCount`.',
    resolve: async ({ count }: Countable) => (await count()).isExact,
  }) as const;

/** Counts once, however many fields ask. */
function once(count: Countable['count']): Countable['count'] {
  let counted: ReturnType<Countable['count']> | undefined;
  return () => (counted ??= count());
}

/**
 * The cost, in fields, of counting a list whose rows have to be counted: that reads as many index entries as
 * a few pages have rows.
 */
export const costOfCounting = 50;

/**
 * The cost of a connection's field, for the limit on complexity: 1, plus the cost of the selection below it
 * for each requested row. The number of rows is 20 without `first` and `last`; it counts as 1 at least, and
 * as 100 at most.
 */
export const pageComplexity = ({ first, last }: Paging) => ({
  field: 1,
  multiplier: Math.max(1, Math.min(first ?? last ?? defaultPageSize, maxPageSize)),
});
