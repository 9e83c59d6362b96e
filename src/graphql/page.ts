import { defaultPageSize, maxPageSize, type PageOf, type Paging } from '../tickets/page.ts';

/** A page as a connection; the list is counted when somebody asks how long it is. */
export const connectionOf = <T>(page: PageOf<T>, count: () => number | null | Promise<number | null>) => ({
  ...page,
  count,
});

/** What a page may cost, for the limit on a document's complexity. */
export const pageComplexity = ({ first, last }: Paging) => ({
  field: 1,
  multiplier: Math.max(1, Math.min(first ?? last ?? defaultPageSize, maxPageSize)),
});
