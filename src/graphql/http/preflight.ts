import type { IncomingMessage } from 'node:http';
import { httpError } from './request-error.ts';

const asking = ['graphql-preflight', 'apollo-require-preflight', 'x-requested-with'] as const;

/**
 * A page of another origin can make a browser send multipart with its user's credential and without asking
 * first. It cannot add a header, nor leave out those by which browsers say where a request comes from.
 * Programs send none of these, and need none.
 * @param ownOrigin by which the caller reached us
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
  // Browsers of before Sec-Fetch-Site name the page's origin with each POST.
  return headers.origin !== undefined && headers.origin !== ownOrigin;
}
