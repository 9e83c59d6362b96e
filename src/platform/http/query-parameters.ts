/**
 * The parameters in the query of a request's target.
 * @param url path and query, as in `req.url`
 * @returns undefined when their bytes are not UTF-8: `URLSearchParams` would replace them by U+FFFD
 */
export function queryParameters(url: string): URLSearchParams | undefined {
  const at = url.indexOf('?');
  const query = at < 0 ? '' : url.slice(at + 1);
  try {
    for (const [escapes] of query.matchAll(/(?:%[\da-f]{2})+/gi)) decodeURIComponent(escapes);
  } catch {
    return undefined;
  }
  return new URLSearchParams(query);
}
