import { isUtf8 } from 'node:buffer';

const highByte = /%[89a-f][0-9a-f]/i;

/**
 * The parameters in the query of a request's target.
 * @param url path and query, as in `req.url`
 * @returns undefined when their bytes are not UTF-8: `URLSearchParams` would replace them by U+FFFD
 */
export function queryParameters(url: string): URLSearchParams | undefined {
  const at = url.indexOf('?');
  const query = at < 0 ? '' : url.slice(at + 1);
  if (highByte.test(query) && !isUtf8(bytesOf(query))) return undefined;
  return new URLSearchParams(query);
}

const bytesOf = (query: string): Buffer =>
  Buffer.from(
    query.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
