import { z } from 'zod';
import { contentCoding } from '../dotnet/content-encoding.ts';
import { foldPath } from '../dotnet/fold-path.ts';
import { parseMediaType } from '../dotnet/media-type.ts';
import { selectCharset } from '../dotnet/negotiation.ts';
import { lowerCaseNames, type Recorded } from './compare-responses.ts';

const namedValues = z.array(z.object({ name: z.string(), value: z.string() }));
/** The parts of a HAR that are replayed and compared. Programs differ in the rest. */
const entry = z.object({
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: namedValues.default([]),
    postData: z
      .object({
        mimeType: z.string().nullish(),
        text: z.string().nullish(),
        encoding: z.string().nullish(),
        params: z.array(z.object({ name: z.string(), value: z.string().nullish() })).nullish(),
      })
      .nullish(),
  }),
  response: z.object({
    status: z.number(),
    headers: namedValues.default([]),
    content: z.object({ text: z.string().nullish(), encoding: z.string().nullish() }).nullish(),
  }),
});
/** The Zod schema of a HAR file, with the parts that are replayed and compared. */
export const har = z.object({ log: z.object({ entries: z.array(entry) }) });
type HarEntry = z.infer<typeof entry>;

/** Headers of the recorded connection, which are not sent again. */
const hop = new RegExp(
  '^(:.*|host|content-length|connection|proxy-.*|transfer-encoding|accept-encoding|' +
    'keep-alive|expect|upgrade|http2-settings|te)$',
);

/**
 * The call of a HAR's entry. Headers of the recorded connection are left out. Bodies are made from the HAR's
 * texts, so they may differ from the bytes that were sent. A request that was compressed becomes an
 * uncompressed one without Content-Encoding. It is encoded in UTF-16 if its Content-Type says so, otherwise
 * in UTF-8, and form fields without a text are encoded again. Content-Type is that of the HAR's body if no
 * header says it. A response's text becomes UTF-8, whatever it was sent in: `differences` compares texts. A
 * body in base64 is its bytes. If the HAR has no response body, it is undefined, and any body matches.
 * @param index the entry's position from 0; the call's name begins with the position from 1
 * @returns an array of one call, or an empty array for a request that is not for the old endpoint or has no
 *   response
 */
export function fromHar({ request, response }: HarEntry, index: number): Recorded[] {
  const path = pathOf(request.url);
  if (path === undefined || response.status === 0) return [];
  const headers = headersOf(request);
  const { text, encoding } = response.content ?? {};
  return [
    {
      name: `${index + 1} ${request.method} ${path}`,
      method: request.method,
      path,
      headers,
      body: bodyOf(request.postData, headers),
      chunked: request.headers.some(
        ({ name, value }) => /^transfer-encoding$/i.test(name) && /chunked/i.test(value),
      ),
      anonymous: false,
      expect: {
        status: response.status,
        headers: lowerCaseNames(Object.fromEntries(response.headers.map(({ name, value }) => [name, value]))),
        body: text == null ? undefined : Buffer.from(text, encoding === 'base64' ? 'base64' : 'utf8'),
      },
    },
  ];
}

/** Path and query as they were sent. Undefined for another endpoint. */
function pathOf(url: string): string | undefined {
  const target = /^https?:\/\/[^/?#\\]*([^#]*)/i.exec(url)?.[1];
  if (target === undefined || !/^\/api(\/|$)/.test(foldPath(target.split('?', 1)[0]!))) return undefined;
  // Recorders decode characters that cannot be sent unescaped.
  return target.replace(/[^\x21-\x7e]+/g, encodeURIComponent);
}

function headersOf({ headers, postData }: HarEntry['request']): Record<string, string> {
  const sent = headers
    .filter(({ name, value }) => !hop.test(name.toLowerCase()) && !isUndone(name, value))
    .map(({ name, value }) => [
      name,
      Buffer.from(value).toString(/[\u0100-\uffff]/.test(value) ? 'latin1' : 'utf8'),
    ]);
  const typed = headers.some(({ name }) => name.toLowerCase() === 'content-type');
  if (!typed && postData?.mimeType) sent.push(['Content-Type', postData.mimeType]);
  return Object.fromEntries(sent) as Record<string, string>;
}

/** Recorders store the body uncompressed. */
const isUndone = (name: string, value: string) =>
  name.toLowerCase() === 'content-encoding' && contentCoding(value) !== undefined;

function bodyOf(postData: HarEntry['request']['postData'], headers: Record<string, string>): Buffer {
  const { text, encoding, params } = postData ?? {};
  if (text) return encoding === 'base64' ? Buffer.from(text, 'base64') : encoded(text, headers);
  const fields = (params ?? []).map(({ name, value }) => [name, value ?? '']);
  return Buffer.from(new URLSearchParams(fields).toString());
}

function encoded(text: string, headers: Record<string, string>): Buffer {
  const charset = selectCharset(parseMediaType(lowerCaseNames(headers)['content-type']));
  return Buffer.from(text, charset === 'utf-16' ? 'utf16le' : 'utf8');
}
