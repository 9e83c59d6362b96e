import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';

/** A key set of a dozen keys with their certificates has some 50 KB. */
const maxBytes = 1024 * 1024;

/**
 * Fetches a key set. A redirect is not followed, as it would let others choose the keys.
 * @returns a 200 response whose body has been read, or a response without a body that has the server's other
 *   status (a redirect's 3xx too). The body is not checked
 * @throws Error when the body is larger than 1 MiB, or an error of `fetch`
 */
export async function fetchKeySet(url: string | URL, options: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, { ...options, redirect: 'manual' });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    return new Response(null, { status: Math.max(200, response.status) });
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    // Leaving the loop closes the connection.
    if (length > maxBytes) throw new Error('The key set is larger than 1 MiB');
    chunks.push(chunk);
  }
  return new Response(Buffer.concat(chunks));
}

/** A clock that is set back further than this makes the keys be fetched anew, milliseconds. */
const notableMs = 60_000;

/**
 * Creates a key set (JWKS) that is fetched when it is first used, cached for ten minutes, and fetched again
 * for an unknown key id at most twice a minute. A server that does not answer within 5 s has failed.
 * @returns `find`, which jose calls for the key of a JWT and which rejects with jose's errors or those of
 *   `fetchKeySet`, and `fetch`, which fetches the keys now and rejects with the same errors
 * @throws TypeError for a text that is no URL
 */
export function createKeySet(url: string): { readonly find: JWTVerifyGetKey; fetch(): Promise<void> } {
  const create = () =>
    createRemoteJWKSet(new URL(url), {
      timeoutDuration: 5000,
      cooldownDuration: 30_000,
      [customFetch]: fetchKeySet,
    });
  let keys = create();
  let seenAt = Date.now();
  return {
    find(header, token) {
      // jose tells the age of its keys by this clock. Set back by a year, they would be young for a year, and
      // neither a new key nor a withdrawn one would be noticed.
      const at = Date.now();
      if (at < seenAt - notableMs) keys = create();
      seenAt = at;
      return keys(header, token);
    },
    fetch: () => keys.reload(),
  };
}
