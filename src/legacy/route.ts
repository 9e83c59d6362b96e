import { foldPath } from './dotnet/fold-path.ts';

/** What a path under /api leads to, whatever the method is; undefined: nothing, which is a 404. */
export type LegacyRoute = 'help' | 'openapi' | 'newMessage' | undefined;

/**
 * Finds what a request target leads to: `/api` to the help page, `/api/openapi.yaml` to the OpenAPI document,
 * `/api/Tickets/NewMessage` to the action. Spellings that the old service took for the same path count, see
 * `foldPath`. As in `api/{controller}/{action}/{id}` of the old routing, one further segment is taken for an
 * id and ignored. A path is not found if a segment ends in a dot or a blank: System.Web rejected those, as
 * they are not file names.
 * @param url a request target, with its query
 */
export function route(url: string): LegacyRoute {
  const path = url.replace(/^https?:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0]!;
  if (path === '/api/Tickets/NewMessage') return 'newMessage';
  const segments = foldPath(path).split('/').slice(1);
  if (segments[0] !== 'api' || segments.some((segment) => /[. ]$/.test(segment))) return undefined;
  const [, second, third] = segments;
  if (segments.length === 1) return 'help';
  if (segments.length === 2 && second === 'openapi.yaml') return 'openapi';
  if (segments.length > 4 || second !== 'tickets' || third !== 'newmessage') return undefined;
  return 'newMessage';
}

/**
 * The absolute URL as the old service repeated it in its 404: decoded, except for escapes that would change
 * its meaning (`%23`, `%25`, `%2F`, `%3F`) or break the line, and invalid ones.
 * @param url a request target; a relative one is appended to `origin`
 */
export function readableUri(origin: string, url: string): string {
  const readable = url.replace(/(?:%[0-9a-fA-F]{2})+/g, (encoded) => {
    try {
      const text = decodeURIComponent(encoded.replace(/%(?=2[35fF]|3[fF]|[01][0-9a-fA-F]|7[fF])/g, '%25'));
      return text;
    } catch {
      return encoded;
    }
  });
  return /^https?:/i.test(readable) ? readable : origin + readable;
}
