import type { IncomingMessage } from 'node:http';
import { essenceOf } from '../platform/incoming-file.ts';

/** Content types that a page may send to another origin without a preflight. */
const simpleTypes = /^(?:|text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)$/;
/** Headers that a page can send to another origin only after a preflight. */
const asked = [
  'graphql-preflight',
  'x-requested-with',
  'upload-complete',
  'content-disposition',
  'idempotency-key',
];

/**
 * Whether a page of another origin may have made a browser send this request without a preflight, with its
 * user's Basic credential. A page cannot remove the headers by which browsers mark such requests.
 * @param ownOrigin the origin by which the caller reached us
 */
export function mayBeCrossSite({ headers }: IncomingMessage, ownOrigin: string): boolean {
  if (!simpleTypes.test(essenceOf(headers['content-type'])) || asked.some((name) => name in headers))
    return false;
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin !== ownOrigin;
}
