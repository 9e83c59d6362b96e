import type { IncomingMessage } from 'node:http';
import { essenceOf } from '../incoming-file.ts';

/** Content types that a page may send to another origin without a preflight. */
const simpleTypes = /^(?:|text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)$/;

/**
 * Whether a page of another origin could have made the browser send this POST without a preflight, with the
 * user's stored Basic credential. Browsers mark such requests with headers that a page cannot remove.
 * Programs send no such headers, so they always pass.
 * @param ownOrigin the origin under which the caller reached us
 * @param preflighted names of headers that a page can send to another origin only after a preflight
 */
export function mayBeCrossOrigin(
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
