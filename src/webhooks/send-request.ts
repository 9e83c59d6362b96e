import { type ClientRequest, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { hostOf, type Reach, whyNotEndpoint } from './endpoint-url.ts';
import { isPublicAddress } from './is-public-address.ts';
import { addressesOf } from './resolve-name.ts';

/**
 * Milliseconds after which a request is ended: resolving, connecting, sending, and reading the answer
 * together.
 */
export const requestMs = 15_000;
/** Bytes of an answer that are read and discarded before its connection is closed. */
const responseBytes = 64 * 1024;
const longestError = 200;

/** How a request ended. Exactly one of `status` and `error` is defined. */
export interface Reply {
  /** The answer's status; undefined when there was none. */
  readonly status: number | undefined;
  /** The header `Retry-After` of the answer. */
  readonly retryAfter: string | undefined;
  /** Why there was no answer, without anything that the endpoint sent. */
  readonly error: string | undefined;
}

/**
 * Posts JSON to an endpoint. Its name is resolved once, and the connection goes to an address that was
 * checked, so a change of the name's addresses after the check cannot lead it elsewhere. Redirects are not
 * followed. A URL or an address that `reach` does not allow, a timeout and a broken connection do not reject
 * but resolve with an `error`. The body of the answer is discarded; a status counts even if its body breaks
 * off.
 * @param headers in addition to Content-Type, Content-Length, User-Agent and Host, which they replace
 * @throws TypeError for a header's name or value that HTTP does not allow
 */
export async function sendRequest(
  to: string,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: string },
  reach: Reach,
): Promise<Reply> {
  const problem = whyNotEndpoint(to, reach);
  if (problem !== undefined) return failed(`its URL ${problem}`);
  const url = new URL(to);
  const send = url.protocol === 'https:' ? overHttps : overHttp;
  const bytes = Buffer.from(body);
  const req = send({
    host: hostOf(url),
    port: url.port,
    path: `${url.pathname}${url.search}`,
    method: 'POST',
    // No connection is kept: the next request resolves the name again.
    agent: false,
    lookup: lookupWithin(reach),
    signal: AbortSignal.timeout(requestMs),
    headers: {
      'Content-Type': 'application/json',
      'Content-Length': bytes.length,
      'User-Agent': 'Ticketwire',
      Host: url.host,
      ...headers,
    },
  });
  req.end(bytes);
  return replyTo(req);
}

const failed = (error: string): Reply => ({ status: undefined, retryAfter: undefined, error });

function replyTo(req: ClientRequest): Promise<Reply> {
  return new Promise((resolve) => {
    // The status counts, even if the rest of the answer does not come.
    let answered: Reply | undefined;
    req.once('response', (res) => {
      answered = { status: res.statusCode, retryAfter: res.headers['retry-after'], error: undefined };
      let bytes = 0;
      res.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > responseBytes) res.destroy();
      });
      res.on('error', () => {});
    });
    req.on('error', (error) => resolve(answered ?? failed(explain(error))));
    // Without an error and an answer, the endpoint has switched to another protocol.
    req.once('close', () => resolve(answered ?? failed('the connection was closed')));
  });
}

class AddressRefused extends Error {}

/** Resolves a name for one connection. All of its addresses must be allowed. */
function lookupWithin({ allowsPrivate }: Reach): LookupFunction {
  return (name, options, callback) =>
    addressesOf(name).then(
      (addresses) => {
        if (!allowsPrivate && !addresses.every(({ address }) => isPublicAddress(address)))
          return callback(new AddressRefused('its name leads to a private address'), []);
        if (options.all === true) return callback(null, addresses);
        const { address, family } = addresses[0]!;
        callback(null, address, family);
      },
      (error) => callback(error, []),
    );
}

function explain(error: NodeJS.ErrnoException): string {
  if (error instanceof AddressRefused) return error.message;
  if (error.name === 'AbortError' || error.name === 'TimeoutError')
    return `no answer within ${requestMs / 1000} s`;
  // A message of OpenSSL or the resolver may repeat what the endpoint said; its code does not.
  return (error.code ?? 'the connection failed').slice(0, longestError);
}
