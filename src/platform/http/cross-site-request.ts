import type { IncomingMessage } from 'node:http';
import { essenceOf } from '../incoming-file.ts';

/** Content types that a page may send to another origin without a preflight. */
const simpleTypes = /^(?:|text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)$/;

/**
 * Whether a page of another origin may have made a browser send this request without a preflight, with its
 * user's Basic credential. A page cannot remove the headers by which browsers mark such requests. Programs
 * send none of these and are not affected.
 * @param ownOrigin the origin by which the caller reached us
 * @param preflighted names of headers that a page can send to another origin only after a preflight
 */
export function mayBeCrossSite(
  { headers }: IncomingMessage,
  ownOrigin: string,
  preflighted: readonly string[],
): boolean {
  if (!simpleTypes.test(essenceOf(headers['content-type'])) || preflighted.some((name) => name in headers))
    return false;
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Browsers without Sec-Fetch-Site send Origin with each POST.
  return origin !== undefined && origin !== ownOrigin;
}
