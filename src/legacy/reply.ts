import type { OutgoingHttpHeaders } from 'node:http';
import { encode } from './dotnet/charset.ts';
import type { Representation } from './dotnet/negotiation.ts';
import { namespaces, parameter } from './dotnet/new-message-post.ts';
import { encodeLocalName } from './dotnet/xml/names.ts';

/** A whole response of the legacy endpoint. Each has headers that forbid caching, and a Content-Length. */
export interface LegacyReply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string | Buffer;
}

/** Headers of every answer of the old service. */
const noCache = { 'Cache-Control': 'no-cache', Pragma: 'no-cache', Expires: '-1' };

/** The messages of error replies: those of the old service, and ours where it had none. */
export const texts = {
  invalid: 'The request is invalid.',
  fault: 'An error has occurred.',
  unauthorized: 'Authorization has been denied for this request.',
  tooLarge: 'Maximum request length exceeded.',
  notFound: (uri: string) => `No HTTP resource was found that matches the request URI '${uri}'.`,
  method: (method: string) => `The requested resource does not support http method '${method}'.`,
  mediaType: (mediaType: string) =>
    `The request entity's media type '${mediaType}' is not supported for this resource.`,
  noContentType:
    'The request contains an entity body but no Content-Type header. ' +
    "The inferred media type 'application/octet-stream' is not supported for this resource.",
  contentEncoding: (encoding: string) =>
    `The request's Content-Encoding '${encoding}' is not supported for this resource. ` +
    'Send the body as it is.',
  unavailable: (seconds: number, nothingStored: boolean) =>
    `The service is not available just now. ${
      nothingStored
        ? `This call has stored nothing. Try again in ${seconds} s.`
        : 'The message may have been stored. Look at the ticket, or ' +
          `try again in ${seconds} s if the call has an Idempotency-Key.`
    }`,
  noBody: 'The request body is empty.',
  noTicket: 'TicketREF or TicketId is required.',
} as const;

/** A response without a body or Content-Type, as `StatusCode(403)` made it. */
export function bareReply(status: number, headers: OutgoingHttpHeaders = {}): LegacyReply {
  return { status, headers: { ...noCache, ...headers, 'Content-Length': 0 }, body: Buffer.alloc(0) };
}

function reply(
  status: number,
  as: Representation,
  json: string,
  xml: string,
  headers?: OutgoingHttpHeaders,
): LegacyReply {
  const body = encode(as.format === 'json' ? json : xml, as.charset);
  const contentType = `${as.mediaType}; charset=${as.charset}`;
  return {
    status,
    headers: {
      ...noCache,
      ...headers,
      'Content-Type': contentType,
      'Content-Length': Buffer.byteLength(body),
    },
    body,
  };
}

/**
 * The response to a call that was carried out: 200 with `{"TicketMessageId":123}`, or the same in XML.
 * @param ticketMessageId the new message's id, or that of the first call if this one repeats its idempotency
 *   key
 */
export function resultReply(
  as: Representation,
  ticketMessageId: number,
  headers?: OutgoingHttpHeaders,
): LegacyReply {
  const { instance, results } = namespaces;
  const json = `{"TicketMessageId":${ticketMessageId}}`;
  const xml =
    `<NewMessageResult xmlns:i="${instance}" xmlns="${results}">` +
    `<TicketMessageId>${ticketMessageId}</TicketMessageId></NewMessageResult>`;
  return reply(200, as, json, xml, headers);
}

/** An error as `{"Message":"…"}`, or `<Error>` in XML, which every client of the old service reads. */
export function errorReply(
  status: number,
  as: Representation,
  message: string,
  headers?: OutgoingHttpHeaders,
): LegacyReply {
  const json = `{"Message":${jsonText(message)}}`;
  return reply(status, as, json, `<Error><Message>${xmlText(message)}</Message></Error>`, headers);
}

/**
 * A 400 for errors of model binding, with `Message` and `ModelState`. The keys name the members
 * (`post.Message`), and each error has the same generic text, as remote clients saw it. Keys are in the order
 * of their first error, and compared without case.
 * @param errors the path of each error in the body: `Name`, `[0].Name`; empty for the body itself
 */
export function modelStateReply(
  as: Representation,
  errors: readonly string[],
  headers?: OutgoingHttpHeaders,
): LegacyReply {
  const counts = countByKey(errors);
  const json = counts.map(
    ([key, count]) => `${jsonText(key)}:[${Array(count).fill(jsonText(texts.fault)).join(',')}]`,
  );
  const xml = counts.map(([key, count]) => {
    const name = encodeLocalName(key);
    return `<${name}>${Array(count).fill(texts.fault).join(' ')}</${name}>`;
  });
  return reply(
    400,
    as,
    `{"Message":"${texts.invalid}","ModelState":{${json.join(',')}}}`,
    `<Error><Message>${texts.invalid}</Message><ModelState>${xml.join('')}</ModelState></Error>`,
    headers,
  );
}

/**
 * Counts errors by key, in the order of their first error. Keys are not case-sensitive, as in the old
 * dictionary.
 */
function countByKey(errors: readonly string[]): [key: string, count: number][] {
  const counts = new Map<string, [string, number]>();
  for (const path of errors) {
    const key = path === '' ? parameter : path.startsWith('[') ? parameter + path : `${parameter}.${path}`;
    const entry = counts.get(key.toLowerCase());
    if (entry) entry[1]++;
    else counts.set(key.toLowerCase(), [key, 1]);
  }
  return [...counts.values()];
}

/** Json.NET escapes the same characters as `JSON.stringify` and three more. */
function jsonText(text: string): string {
  return JSON.stringify(text).replace(/[\u0085\u2028\u2029]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/**
 * Escapes as the old XML writer did: quotes stay, and characters that XML does not have become references.
 */
function xmlText(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[^\t\n\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, (char) => {
      return `&#x${char.codePointAt(0)!.toString(16).toUpperCase()};`;
    });
}
