import type { IncomingHttpHeaders } from 'node:http';

/**
 * The result of a request's conditions: `unchanged` is answered with 304, `changed` with 412, `met` with the
 * file.
 */
export type Precondition = 'unchanged' | 'changed' | 'met';

/**
 * Evaluates If-Match and If-None-Match by RFC 9110 §13.2.2, for a GET or HEAD of a resource with an ETag and
 * no date.
 * @param etag strong, with its quotation marks
 */
export function preconditionOf(headers: IncomingHttpHeaders, etag: string): Precondition {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch !== undefined && !tagsOf(ifMatch).some((tag) => tag === '*' || tag === etag)) return 'changed';
  const same = (tag: string) => tag === '*' || tag.replace(/^W\//, '') === etag;
  return ifNoneMatch !== undefined && tagsOf(ifNoneMatch).some(same) ? 'unchanged' : 'met';
}

/**
 * The Range header, unless If-Range names another version of the file (§13.1.5) or a date. Undefined: the
 * whole file is to be sent.
 */
export const rangeIfSame = (
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
  etag: string,
): string | undefined => (ifRange === undefined || ifRange === etag ? range : undefined);

const tagsOf = (list: string): string[] => list.match(/(?:W\/)?"[^"]*"|\*/g) ?? [];
