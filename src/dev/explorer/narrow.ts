/** A phone: the panels cover the editors there. phone.css has the same width. */
export const isNarrow = (): boolean => matchMedia('(max-width: 45rem)').matches;
