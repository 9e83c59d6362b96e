import type { IncomingMessage } from 'node:http';
import { essenceOf } from '../incoming-file.ts';

/** Content types that a page may send to another origin without a preflight. */
const simpleTypes = /^(?:|text\/plain|application\/x-www-form-urlencoded|multipart\/form-data)$/;

/**
 * Whether a page of another origin could have made the browser send this POST without a preflight, with the
 * user's stored Basic credential. The caller must refuse such a request, and ask only about a POST: the
 * method is not looked at. Browsers mark it with `Sec-Fetch-Site` or `Origin`, which a page cannot remove.
 * `Sec-Fetch-Site` decides if there is one: only `same-origin` and `none` pass. Otherwise an `Origin` that is
 * not ours does not pass. Programs send neither, so the result is false for them. It is also false for
 * content types that need a preflight, such as JSON.
 * @param isOwn whether an origin is ours
 * @param preflighted names of headers, in lower case, that a page can send to another origin only after a
 *   preflight; a request that has one of them passes
 */
export function mayBeCrossOrigin(
  { headers }: IncomingMessage,
  isOwn: (origin: string) => boolean,
  preflighted: readonly string[],
): boolean {
  if (!simpleTypes.test(essenceOf(headers['content-type'])) || preflighted.some((name) => name in headers))
    return false;
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Browsers send Origin with each POST. Old ones have no Sec-Fetch-Site, and none sends it over plain HTTP
  // to another host than localhost.
  return origin !== undefined && !isOwn(origin);
}
