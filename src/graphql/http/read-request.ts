import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLParams } from 'graphql-yoga';
import { queryParameters } from '../../platform/http/query-parameters.ts';
import { essenceOf } from '../../platform/incoming-file.ts';
import type { TicketContext } from '../../tickets/context.ts';
import type { OperationParams } from '../execute/prepare-operation.ts';
import type { TrustedDocuments } from '../execute/trusted-documents.ts';
import { httpError } from './http-error.ts';
import { BodyBudget, parseJson, readBody } from './read-body.ts';

/**
 * Reads a request's parameters, which are not checked yet (see `validateParams`). Its files may still be
 * arriving when it resolves.
 */
export type ReadParams = (
  req: IncomingMessage,
  res: ServerResponse,
  ctx: TicketContext,
) => Promise<GraphQLParams>;

/** How requests are read. */
export interface ReadOptions {
  /** Maximum bytes of a JSON body, inclusive. Without a credential: at most `anonymousBodyBytes`. */
  readonly requestBytes: number;
  /** Reads a request whose media type is multipart/form-data. */
  readonly readMultipart: ReadParams;
}

/** Maximum bytes of a JSON body without a credential: more than any client's first request. */
export const anonymousBodyBytes = 64 * 1024;

/**
 * Minimum for the total bytes of all bodies that are being read. There is always room for three of the
 * largest.
 */
const leastBudget = 64 * 1024 * 1024;

/**
 * Creates the function that reads a request's parameters: from the URL of a GET, or from a JSON or multipart
 * body. The parameters are not checked yet (see `validateParams`).
 * @returns a function that throws or rejects with GraphQLError 415 for another media type, charset or content
 *   coding, 400 and 413 as `readBody`, `parseJson` and `paramsOfUrl` do, and Unavailable; for a form as
 *   `readMultipart` does
 */
export function createRead({ requestBytes, readMultipart }: ReadOptions) {
  const budget = new BodyBudget(Math.max(3 * requestBytes, leastBudget));
  const readJson: ReadParams = async (req, _res, { viewer }) => {
    const limit = viewer === undefined ? Math.min(anonymousBodyBytes, requestBytes) : requestBytes;
    return parseJson(await readBody(req, limit, budget)) as GraphQLParams;
  };
  const readers: ReadonlyMap<string, ReadParams> = new Map([
    ['application/json', readJson],
    ['multipart/form-data', readMultipart],
  ]);

  return (
    req: IncomingMessage,
    res: ServerResponse,
    ctx: TicketContext,
  ): Promise<GraphQLParams> | GraphQLParams => {
    if (req.method === 'GET') return paramsOfUrl(req.url ?? '');
    return readerOf(req)(req, res, ctx);
  };

  /** @returns the reader of the body's media type @throws GraphQLError 415 */
  function readerOf({ headers }: IncomingMessage): ReadParams {
    const { type, charset } = contentTypeOf(headers['content-type']);
    const reader = readers.get(type);
    if (reader === undefined) throw httpError(415, 'Send application/json or multipart/form-data');
    if (charset !== undefined && !/^utf-?8$/i.test(charset))
      throw httpError(415, `Send the body as UTF-8, not as ${charset.slice(0, 40)}`);
    // Compressed bodies are not supported, so that no body is larger than it looks.
    const { 'content-encoding': coding } = headers;
    if (coding !== undefined && !/^(identity)?$/i.test(coding))
      throw httpError(415, 'Send the body without a Content-Encoding');
    return reader;
  }
}

function contentTypeOf(header = ''): { type: string; charset: string | undefined } {
  if (header === 'application/json') return { type: header, charset: undefined };
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(header)?.[1];
  return { type: essenceOf(header), charset };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Validates the parameters of a request. Members that GraphQL over HTTP does not define are ignored. An empty
 * operation name is none, because some clients send it. The document is not parsed.
 * @param trusted the only documents that are accepted, if given: by `documentId`, by the hash of Apollo's
 *   `persistedQuery`, or by the whole text
 * @returns `variables` is an empty object if there are none
 * @throws GraphQLError 400 for parameters that are malformed; without `trusted`,
 *   PERSISTED_QUERY_NOT_SUPPORTED for a hash without a document; with `trusted`, PERSISTED_QUERY_NOT_FOUND
 *   for an unknown id or hash, and DOCUMENT_NOT_TRUSTED for an unknown text
 */
export function validateParams(params: unknown, trusted?: TrustedDocuments): OperationParams {
  if (Array.isArray(params)) throw httpError(400, 'Batches are not supported');
  if (!isObject(params)) throw httpError(400, 'The request is not an object');
  const { variables, operationName, extensions } = params;
  if (extensions != null && !isObject(extensions)) throw httpError(400, 'The "extensions" are not an object');
  const query = trusted === undefined ? queryOf(params) : trustedOf(params, trusted);
  if (variables != null && !isObject(variables)) throw httpError(400, 'The "variables" are not an object');
  if (operationName != null && typeof operationName !== 'string')
    throw httpError(400, 'The "operationName" is not a string');
  return { query, variables: variables ?? {}, operationName: operationName || undefined } as OperationParams;
}

function queryOf({ query, extensions }: Record<string, unknown>): string {
  if (query == null) throw withoutQuery(extensions as Record<string, unknown> | undefined);
  if (typeof query !== 'string') throw httpError(400, 'The "query" is not a string');
  return query;
}

/**
 * Finds the trusted document by `documentId`, by Apollo's hash, or by its whole text. An unknown one is
 * rejected before it is parsed.
 */
function trustedOf(params: Record<string, unknown>, trusted: TrustedDocuments): string {
  const { query, documentId, extensions } = params;
  const hash = (extensions as { persistedQuery?: { sha256Hash?: unknown } } | null | undefined)
    ?.persistedQuery?.sha256Hash;
  const id = documentId ?? hash;
  if (query == null && typeof id === 'string') {
    const document = trusted.byId(id);
    if (document !== undefined) return document;
    const code = 'PERSISTED_QUERY_NOT_FOUND';
    throw httpError(400, 'PersistedQueryNotFound', { code, understood: true });
  }
  const document = queryOf(params);
  if (trusted.has(document)) return document;
  const code = 'DOCUMENT_NOT_TRUSTED';
  throw httpError(400, 'This document is not one of the trusted documents', { code, understood: true });
}

/** Clients that send a hash send the whole document after this exact message. */
function withoutQuery(extensions: Record<string, unknown> | undefined) {
  if (!isObject(extensions?.persistedQuery)) return httpError(400, 'The request has no "query"');
  const code = 'PERSISTED_QUERY_NOT_SUPPORTED';
  return httpError(400, 'PersistedQueryNotSupported', { code, understood: true });
}

/**
 * The parameters in a URL's query: `query`, `documentId` and `operationName` as texts, `variables` and
 * `extensions` parsed as JSON of any type. Those that are missing are undefined.
 * @param url path and query, as in `req.url`
 * @throws GraphQLError 400 for text that is not UTF-8, and for variables or extensions that are not JSON
 */
export function paramsOfUrl(url: string): GraphQLParams {
  const search = queryParameters(url);
  if (search === undefined) throw httpError(400, 'The parameters in the URL are not UTF-8');
  const json = (name: string): Record<string, unknown> | undefined => {
    const text = search.get(name);
    if (text === null || text === '') return undefined;
    try {
      return JSON.parse(text);
    } catch {
      throw httpError(400, `The "${name}" are not JSON`);
    }
  };
  const query = search.get('query') ?? undefined;
  const operationName = search.get('operationName') ?? undefined;
  return {
    query,
    documentId: search.get('documentId') || undefined,
    operationName,
    variables: json('variables'),
    extensions: json('extensions'),
  } as GraphQLParams;
}
