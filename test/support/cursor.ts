/** The number inside a cursor, which clients are not to look at: for tests of gaps and of order. */
export function placeOf(cursor: string): number {
  const [, digits] = /, (\d+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (digits === undefined) throw new Error(`Not a cursor: ${cursor}`);
  return Number(digits);
}
