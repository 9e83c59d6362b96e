/** Merges the rows of a query with those of later events: each row once, in its latest state. */
export const withChanges = <Row extends { id: string }>(
  listed: readonly Row[],
  changed: ReadonlyMap<string, Row>,
): Row[] => [...new Map([...listed.map((row) => [row.id, row] as const), ...changed]).values()];
