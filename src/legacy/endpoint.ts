import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { BadCredential, BadRequest, RateLimited, Unavailable } from '../platform/errors.ts';
import { sendResponse } from '../platform/http/send-response.ts';
import type { RequestContext } from '../platform/request-context.ts';
import { Aborted, BodyBinder, bindBody } from './bind-body.ts';
import { statusOfError } from './describe-refusal.ts';
import { bodyLimits, TooLarge } from './dotnet/body-limits.ts';
import { contentCoding } from './dotnet/content-encoding.ts';
import { Spools } from './dotnet/file-spool.ts';
import { parseMediaType } from './dotnet/media-type.ts';
import { negotiate, type Representation, selectCharset, selectReader } from './dotnet/negotiation.ts';
import { emptyPost, type NewMessagePost } from './dotnet/new-message-post.ts';
import { type Execute, executeNewMessage } from './execute-new-message.ts';
import { loadPages } from './help/load-pages.ts';
import { loadOperations } from './load-operations.ts';
import { errorReply, type LegacyReply, modelStateReply, texts } from './reply.ts';
import { readableUri, route } from './route.ts';

/** What the legacy endpoint needs. */
export interface LegacyPorts {
  /**
   * Signs in before the body is read. `viewer` is undefined without a credential; the reply is then 401.
   * @throws BadRequest (400), BadCredential (401), RateLimited (429), Unavailable (503)
   */
  begin(request: IncomingMessage, response: ServerResponse): Promise<RequestContext>;
  /** Executes a stored operation against our own schema. */
  execute: Execute;
  limits: {
    /** A longer body gets 413. */
    maxBodyBytes: number;
    /**
     * Maximum characters of one string, except for files; a longer one gets 413. Must exceed the longest
     * message. Default: 8 Mi.
     */
    maxTextChars?: number;
  };
  /**
   * Called after each call of a user who is signed in, before its reply is sent, for owners who want to
   * migrate their clients. `client` is the product name in User-Agent, or `unknown`; `fields` are the members
   * of the post that differ from their defaults.
   */
  count?(use: { client: string; fields: readonly string[]; status: number }): void;
  /**
   * The absolute origin as in a `RequestContext`, for responses from before sign-in. By default it is made
   * from Host.
   */
  originOf?(request: IncomingMessage): string;
  /**
   * Called with unexpected errors from before sign-in, whose reply is 500. Later ones go to the log of the
   * context.
   */
  fault?(error: unknown): void;
}

/** One request while it is being handled. */
interface Visit {
  readonly request: IncomingMessage;
  readonly as: Representation;
  context?: RequestContext;
  files?: Spools;
  post?: NewMessagePost | null;
}

/**
 * Creates the handler of the old endpoint, which is a client of our own schema. It is for all paths that
 * begin with /api: a GET of /api is the help page, one of /api/openapi.yaml its OpenAPI document, a POST to
 * /api/Tickets/NewMessage the one action. Checks are in the old framework's order: path (404), method (405),
 * credential (401), body (415, 413, 400), meaning. Replies of the action, errors too, are in the old
 * service's format. The connection is closed without a reply when the caller has gone. Files that are
 * incomplete at the end are given up.
 * @returns a function that handles a request; it never rejects because of the request's contents
 */
export function createLegacyEndpoint(ports: LegacyPorts) {
  const operations = loadOperations();
  const pages = loadPages();
  const originOf = (request: IncomingMessage) =>
    ports.originOf?.(request) ?? `http://${request.headers.host ?? 'localhost'}`;

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const where = route(request.url ?? '');
    if (where === 'help' || where === 'openapi')
      return sendResponse(request, response, pages(where, request, originOf(request)));
    const visit: Visit = { request, as: negotiate(request.headers) };
    try {
      const reply = await answer(visit).catch((error) => answerError(error, visit, ports));
      if (!reply) return void response.destroy();
      if (where) reply.headers.Link = '</api>; rel="help"';
      if (visit.context?.viewer) ports.count?.({ ...useOf(visit), status: reply.status });
      sendResponse(request, response, reply);
    } finally {
      visit.files?.release();
    }

    /** Checks in the old framework's order: path, method, credential, body, meaning. */
    async function answer(visit: Visit): Promise<LegacyReply> {
      const { as } = visit;
      if (!where) {
        return errorReply(404, as, texts.notFound(readableUri(originOf(request), request.url ?? '')));
      }
      if (request.method !== 'POST') {
        return errorReply(405, as, texts.method(request.method ?? ''), { Allow: 'POST' });
      }
      visit.context = await ports.begin(request, response);
      if (!visit.context.viewer) return unauthorized(as);
      const unread = unreadable(request, as);
      if (unread) return unread;
      visit.files = new Spools(visit.context.receive);
      const { post, errors } = await bind(request, visit.files, ports.limits);
      visit.post = post;
      if (errors.length > 0) return modelStateReply(as, errors);
      return await executeNewMessage(post, as, visit.context, { execute: ports.execute, operations });
    }
  };
}

/** Sends an error for a request that the server itself rejects, in the old service's format. */
export function refuseLegacy(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): void {
  sendResponse(request, response, errorReply(status, negotiate(request.headers), message));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The 415 for a body that cannot be read: its media type or its coding. Undefined for any other request. */
function unreadable(request: IncomingMessage, as: Representation): LegacyReply | undefined {
  if (!hasBody(request)) return undefined;
  const contentType = parseMediaType(request.headers['content-type']);
  if (!contentType) return errorReply(415, as, texts.noContentType);
  if (!selectReader(contentType)) return errorReply(415, as, texts.mediaType(contentType.written));
  // Compressed bodies are not supported, so that no body is larger than it looks.
  const coding = contentCoding(request.headers['content-encoding']);
  return coding === undefined ? undefined : errorReply(415, as, texts.contentEncoding(coding));
}

async function bind(request: IncomingMessage, spools: Spools, limits: LegacyPorts['limits']) {
  if (!hasBody(request)) return { post: null, errors: [] };
  const contentType = parseMediaType(request.headers['content-type']);
  const reader = new BodyBinder(selectReader(contentType)!, selectCharset(contentType), spools, {
    ...bodyLimits,
    textChars: limits.maxTextChars ?? bodyLimits.textChars,
  });
  return bindBody(request, reader, spools, limits.maxBodyBytes);
}

/** The old module's challenge. Clients that send their password only on demand depend on it. */
function unauthorized(as: Representation, retryAfterSeconds?: number): LegacyReply {
  return errorReply(401, as, texts.unauthorized, {
    'WWW-Authenticate': 'Basic realm="Requestor"',
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': retryAfterSeconds }),
  });
}

/** @returns undefined when the caller has gone */
function answerError(error: unknown, { as, context }: Visit, ports: LegacyPorts): LegacyReply | undefined {
  if (error instanceof Aborted) return undefined;
  if (error instanceof TooLarge) return errorReply(413, as, texts.tooLarge);
  if (error instanceof BadCredential) return unauthorized(as, error.retryAfterSeconds);
  if (error instanceof RateLimited)
    return errorReply(429, as, `${error.message}.`, { 'Retry-After': error.retryAfterSeconds });
  if (error instanceof BadRequest) return errorReply(400, as, error.message);
  if (error instanceof Unavailable) {
    const { retryAfterSeconds, nothingWritten } = error;
    // Without a context the caller was not even signed in.
    const message = texts.unavailable(retryAfterSeconds, nothingWritten || context === undefined);
    return errorReply(503, as, message, { 'Retry-After': retryAfterSeconds });
  }
  if (error instanceof GraphQLError) {
    const status = statusOfError(error);
    if (status !== undefined) return errorReply(status, as, error.message);
    // INTERNAL errors were logged where they happened.
    if (error.extensions.code === 'INTERNAL') return errorReply(500, as, texts.fault);
  }
  if (context) context.log.error({ err: error, requestId: context.requestId }, 'legacy call failed');
  else ports.fault?.(error);
  return errorReply(500, as, texts.fault);
}

const unused = emptyPost();
const members = Object.keys(unused) as (keyof NewMessagePost)[];

/** The client, by the product name in its User-Agent, and the old members that it uses. */
function useOf({ request, post }: Visit): { client: string; fields: string[] } {
  const product = /^[\w.+-]{1,40}/.exec(request.headers['user-agent'] ?? '')?.[0];
  const fields = post ? members.filter((name) => post[name] !== unused[name]) : [];
  return { client: product ?? 'unknown', fields };
}
