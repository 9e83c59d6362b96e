import {
  type Count,
  defaultPageSize,
  maxCount,
  maxPageSize,
  type PageOf,
  type Paging,
} from '../../../tickets/read/pagination.ts';

/** A list that is counted only when `totalCount` is selected. */
export interface Countable {
  readonly count: () => Count | Promise<Count>;
}

/** A page as a connection. */
export const connectionOf = <T>(page: PageOf<T>, count: Countable['count']) => ({
  ...page,
  count: once(count),
});

/**
 * The field `totalCount` of a connection. It is null only with an error.
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

/** The field `totalCountIsExact` of a connection. It has the cost of `totalCount`. Both are null together. */
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

/** Counting reads as many index entries as a few pages have rows. */
export const costOfCounting = 50;

/** The cost of a page, for the limit on complexity. */
export const pageComplexity = ({ first, last }: Paging) => ({
  field: 1,
  multiplier: Math.max(1, Math.min(first ?? last ?? defaultPageSize, maxPageSize)),
});
