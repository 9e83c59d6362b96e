import { foldPath } from './dotnet/fold-path.ts';

/** The target of a path under /api; undefined: there is none. */
export type LegacyRoute = 'help' | 'openapi' | 'newMessage' | undefined;

/**
 * Matches `api/{controller}/{action}/{id}` as the old routing did: a further segment is taken for an id and
 * ignored. System.Web rejected segments that end in a dot or a blank, as they are not file names.
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
 * The URL as the old service repeated it: decoded, except for escapes that would change its meaning or break
 * the line.
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
