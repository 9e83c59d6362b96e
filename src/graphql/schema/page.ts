import { defaultPageSize, maxCount, maxPageSize, type PageOf, type Paging } from '../../tickets/read/page.ts';

/** A list that can be counted; it is when somebody asks how long it is. */
export interface Countable {
  readonly count: () => number | null | Promise<number | null>;
}

/** A page as a connection. */
export const connectionOf = <T>(page: PageOf<T>, count: Countable['count']) => ({ ...page, count });

/**
 * The field `totalCount` of a connection. @param complexity of counting, in fields: the page's size
 * multiplies it
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

/** Counting rows reads as many entries of an index as a few pages have rows. */
export const costOfCounting = 50;

/** What a page may cost, for the limit on a document's complexity. */
export const pageComplexity = ({ first, last }: Paging) => ({
  field: 1,
  multiplier: Math.max(1, Math.min(first ?? last ?? defaultPageSize, maxPageSize)),
});
