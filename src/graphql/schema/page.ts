import { defaultPageSize, maxCount, maxPageSize, type PageOf, type Paging } from '../../tickets/read/page.ts';

/** A list that is counted only when `totalCount` is selected. */
export interface Countable {
  readonly count: () => number | null | Promise<number | null>;
}

/** A page as a connection. */
export const connectionOf = <T>(page: PageOf<T>, count: Countable['count']) => ({ ...page, count });

/**
 * The options of the field `totalCount` of a connection.
 * @param complexity the cost of counting, in fields; the size of the page multiplies it
 */
export const totalCount = (complexity: number) =>
  ({
    nullable: true,
    complexity,
    description:
      'Total number of rows in all pages. ' +
      `Null when there are more than ${maxCount.toLocaleString('en')}.`,
    resolve: ({ count }: Countable) => count(),
  }) as const;

/** Counting reads as many index entries as a few pages have rows. */
export const costOfCounting = 50;

/** The cost of a page, for the limit on complexity. */
export const pageComplexity = ({ first, last }: Paging) => ({
  field: 1,
  multiplier: Math.max(1, Math.min(first ?? last ?? defaultPageSize, maxPageSize)),
});
