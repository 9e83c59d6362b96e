/** What is not the same before and after folding; most paths have none of it. */
const unfolded = /[%\\A-Z]|\/[/.]|.\/$/;

/**
 * A path as routing saw it behind IIS and System.Web: escapes decoded once (`%2F` and `%5C` too), backslashes
 * as slashes, doubled slashes and dot segments folded, no slash at the end, lower case. A base URL that ends
 * in a slash makes such paths.
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

/** Escapes are UTF-8, or else single bytes. One that is none stays as it is. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text.replace(/%([0-9a-f]{2})/gi, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  }
}
