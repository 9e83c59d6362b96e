/** Offsets of the first and the last byte of a range, both inclusive and counted from 0. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Parses a Range header with a single range: `bytes=0-99`, `bytes=100-`, or `bytes=-100` for the last 100. An
 * end beyond the file is moved to its last byte.
 * @param size bytes of the file
 * @returns `unsatisfiable` when the file has none of these bytes: the answer is 416. Undefined without the
 *   header, and for several ranges or a malformed one: the whole file is sent
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,12})-(\d{0,12})$/i.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  // A range that ends before it begins is invalid (RFC 9110 §14.1.1).
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < start) return undefined;
  return start >= size || start > end ? 'unsatisfiable' : { start, end };
}
