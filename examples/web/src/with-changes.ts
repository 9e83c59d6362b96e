/** What a query listed and what events told since: each row once, as it was told last. */
export const withChanges = <Row extends { id: string }>(
  listed: readonly Row[],
  changed: ReadonlyMap<string, Row>,
): Row[] => [...new Map([...listed.map((row) => [row.id, row] as const), ...changed]).values()];
