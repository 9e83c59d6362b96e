import type { IncomingMessage } from 'node:http';
import { httpError } from './http-error.ts';

const asking = ['graphql-preflight', 'apollo-require-preflight', 'x-requested-with'] as const;

/**
 * Rejects multipart requests that a page of another origin made its user's browser send without a preflight.
 * Such a page can neither add a header nor omit those by which browsers name a request's origin. Programs
 * send none of these headers and are not affected.
 * @param ownOrigin the origin by which the caller reached us
 * @throws GraphQLError 403
 */
export function assertPreflighted({ headers }: IncomingMessage, ownOrigin: string): void {
  if (asking.some((name) => name in headers) || !comesFromElsewhere(headers, ownOrigin)) return;
  throw httpError(403, 'From another origin, send the header GraphQL-Preflight: 1 with a multipart request', {
    code: 'FORBIDDEN',
  });
}

function comesFromElsewhere(headers: IncomingMessage['headers'], ownOrigin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Browsers without Sec-Fetch-Site send Origin with each POST.
  return headers.origin !== undefined && headers.origin !== ownOrigin;
}
