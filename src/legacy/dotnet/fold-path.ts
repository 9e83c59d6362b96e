/** Characters that folding may change. Most paths have none. */
const unfolded = /[%\\A-Z]|\/[/.]|.\/$/;

/**
 * Folds a path as IIS and System.Web did before routing: decodes escapes once (`%2F` and `%5C` too), turns
 * backslashes into slashes, removes doubled slashes, dot segments and a final slash, and lower-cases. Never
 * throws: escapes that are not UTF-8 become one character for each byte, and malformed ones stay. Clients
 * whose base URL ends in a slash send such paths.
 * @param path without the query
 */
export function foldPath(path: string): string {
  if (!unfolded.test(path)) return path;
  const segments: string[] = [];
  for (const segment of decode(path).toLowerCase().split(/[/\\]/)) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return `/${segments.join('/')}`;
}

/** Decodes escapes as UTF-8, or as single bytes. Invalid ones stay. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  }
}
