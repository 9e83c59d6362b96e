/** A key set of a dozen keys with their certificates has some 50 KB. */
const maxBytes = 1024 * 1024;

/**
 * Fetches a key set. A redirect is not followed, as it would let others choose the keys.
 * @throws Error when the response is larger than 1 MiB, or an error of `fetch`
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
