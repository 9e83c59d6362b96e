import type { IncomingMessage } from 'node:http';
import { essenceOf } from '../platform/essence.ts';

/** Types that a page may send to another origin without asking first. */
const simpleTypes = /^(?:|text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)$/;
/** Headers that no page can add to a request to another origin without asking first. */
const asked = [
  'graphql-preflight',
  'x-requested-with',
  'upload-complete',
  'content-disposition',
  'idempotency-key',
];

/**
 * Whether a page of another origin may have made a browser send this, with its user's Basic credential, and
 * without asking first. It cannot leave out the headers by which browsers mark their requests.
 */
export function maySneakIn({ headers }: IncomingMessage, ownOrigin: string): boolean {
  if (!simpleTypes.test(essenceOf(headers['content-type'])) || asked.some((name) => name in headers))
    return false;
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && origin !== ownOrigin;
}
