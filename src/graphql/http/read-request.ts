import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLParams } from 'graphql-yoga';
import { essenceOf } from '../../platform/incoming-file.ts';
import type { TicketContext } from '../../tickets/context.ts';
import { httpError } from './http-error.ts';
import { paramsOfUrl } from './parse-params.ts';
import { BodyBudget, parseJson, readBody } from './read-body.ts';

/** Reads a request's parameters. Its files may still be arriving when it resolves. */
export type ReadParams = (
  req: IncomingMessage,
  res: ServerResponse,
  ctx: TicketContext,
) => Promise<GraphQLParams>;

/** How requests are read. */
export interface ReadOptions {
  /** Maximum bytes of a JSON body. */
  readonly requestBytes: number;
  readonly readMultipart: ReadParams;
}

/** Maximum bytes of a body without a credential: more than any client's first request. */
export const strangersBytes = 64 * 1024;

/**
 * Minimum for the total bytes of all bodies that are being read. There is always room for three of the
 * largest.
 */
const leastBudget = 64 * 1024 * 1024;

/**
 * Creates the function that reads a request's parameters: from the URL of a GET, or from a JSON or multipart
 * body.
 * @throws GraphQLError 415 from that function, for another media type, charset or content coding
 */
export function createRead({ requestBytes, readMultipart }: ReadOptions) {
  const budget = new BodyBudget(Math.max(3 * requestBytes, leastBudget));
  const readJson: ReadParams = async (req, _res, { viewer }) => {
    const limit = viewer === undefined ? Math.min(strangersBytes, requestBytes) : requestBytes;
    return parseJson(await readBody(req, limit, budget)) as GraphQLParams;
  };
  const readers: Readonly<Record<string, ReadParams>> = {
    'application/json': readJson,
    'multipart/form-data': readMultipart,
  };

  return (
    req: IncomingMessage,
    res: ServerResponse,
    ctx: TicketContext,
  ): Promise<GraphQLParams> | GraphQLParams => {
    if (req.method === 'GET') return paramsOfUrl(req.url ?? '');
    return readers[assertReadable(req)]!(req, res, ctx);
  };

  /** @returns the media type of the body @throws GraphQLError 415 */
  function assertReadable({ headers }: IncomingMessage): string {
    const { type, charset } = contentTypeOf(headers['content-type']);
    if (!Object.hasOwn(readers, type)) throw httpError(415, 'Send application/json or multipart/form-data');
    if (charset !== undefined && !/^utf-?8$/i.test(charset))
      throw httpError(415, `Send the body as UTF-8, not as ${charset.slice(0, 40)}`);
    // Compressed bodies are not supported, so that no body is larger than it looks.
    const { 'content-encoding': coding } = headers;
    if (coding !== undefined && !/^(identity)?$/i.test(coding))
      throw httpError(415, 'Send the body without a Content-Encoding');
    return type;
  }
}

function contentTypeOf(header = ''): { type: string; charset: string | undefined } {
  if (header === 'application/json') return { type: header, charset: undefined };
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(header)?.[1];
  return { type: essenceOf(header), charset };
}
