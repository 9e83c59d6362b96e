/** Whether the page is as narrow as a phone. The panels cover the editors then. phone.css has this width. */
export const isNarrow = (): boolean => matchMedia('(max-width: 45rem)').matches;
