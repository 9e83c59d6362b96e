import { foldPath } from './dotnet/path.ts';

/** What a path under /api leads to. */
export type LegacyRoute = 'help' | 'openapi' | 'newMessage' | undefined;

/**
 * `api/{controller}/{action}/{id}` as the old routing took it: one more segment is taken for an id and
 * ignored. System.Web refused segments that end in a dot or a blank, which are no file names.
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
 * The address as the old service repeated it: readable, but for what would change its meaning or break a
 * line.
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
