import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { BadCredential, BadRequest, RateLimited, Unavailable } from '../platform/errors.ts';
import type { RequestContext } from '../platform/request-context.ts';
import { sendAnswer } from '../platform/send-response.ts';
import { contentCoding } from './dotnet/content-coding.ts';
import { parseMediaType } from './dotnet/media-type.ts';
import { negotiate, type Representation, selectCharset, selectReader } from './dotnet/negotiation.ts';
import { emptyPost, type NewMessagePost, readingLimits, TooLarge } from './dotnet/new-message.ts';
import { Spools } from './dotnet/spool.ts';
import { type Execute, newMessage } from './execute.ts';
import { loadPages } from './help/routes.ts';
import { loadOperations } from './operations.ts';
import { Aborted, BodyReader, readBody } from './read-body.ts';
import { errorReply, modelStateReply, type Reply, texts } from './reply.ts';
import { readableUri, route } from './route.ts';
import { statusOfError } from './statuses.ts';

/** What the door needs of the gateway. */
export interface LegacyPorts {
  /**
   * Signs in, before a byte of the body is read; without a credential `viewer` is undefined.
   * @throws {BadCredential} 401
   * @throws {Unavailable} 503
   */
  begin(request: IncomingMessage, response: ServerResponse): Promise<RequestContext>;
  execute: Execute;
  limits: {
    maxBodyBytes: number;
    /**
     * Characters in one string of a body that is no file; more than the longest message has, 8 Mi unless
     * given.
     */
    maxTextChars?: number;
  };
  /** Counts a call for the owner who wants to move clients on. */
  count?(use: { client: string; fields: readonly string[]; status: number }): void;
  /** The absolute origin as in a `RequestContext`, for the answers that come before anybody signs in. */
  originOf?(request: IncomingMessage): string;
  /** Told of faults that no request's log can be told of. */
  fault?(error: unknown): void;
}

/** One request on its way through the door. */
interface Visit {
  readonly request: IncomingMessage;
  readonly as: Representation;
  context?: RequestContext;
  files?: Spools;
  post?: NewMessagePost | null;
}

/** The old endpoint, a client of our own schema. Answers whatever begins with /api. */
export function createLegacyDoor(ports: LegacyPorts) {
  const operations = loadOperations();
  const pages = loadPages();
  const originOf = (request: IncomingMessage) =>
    ports.originOf?.(request) ?? `http://${request.headers.host ?? 'localhost'}`;

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const where = route(request.url ?? '');
    if (where === 'help' || where === 'openapi')
      return sendAnswer(request, response, pages(where, request, originOf(request)));
    const visit: Visit = { request, as: negotiate(request.headers) };
    try {
      const reply = await answer(visit).catch((error) => answerError(error, visit, ports));
      if (!reply) return void response.destroy();
      if (where) reply.headers.Link = '</api>; rel="help"';
      if (visit.context?.viewer) ports.count?.({ ...useOf(visit), status: reply.status });
      sendAnswer(request, response, reply);
    } finally {
      visit.files?.release();
    }

    /** The order of the checks is the old framework's: path, method, credential, body, meaning. */
    async function answer(visit: Visit): Promise<Reply> {
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
      return await newMessage(post, as, visit.context, { execute: ports.execute, operations });
    }
  };
}

/** What the server refuses before anybody here is asked, in the old words. */
export function refuseLegacy(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  message: string,
): void {
  sendAnswer(request, response, errorReply(status, negotiate(request.headers), message));
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** 415: a body that nobody here reads. */
function unreadable(request: IncomingMessage, as: Representation): Reply | undefined {
  if (!hasBody(request)) return undefined;
  const contentType = parseMediaType(request.headers['content-type']);
  if (!contentType) return errorReply(415, as, texts.noContentType);
  if (!selectReader(contentType)) return errorReply(415, as, texts.mediaType(contentType.written));
  // Nothing is unpacked here, so that nothing can be larger than it looks.
  const coding = contentCoding(request.headers['content-encoding']);
  return coding === undefined ? undefined : errorReply(415, as, texts.contentEncoding(coding));
}

async function bind(request: IncomingMessage, spools: Spools, limits: LegacyPorts['limits']) {
  if (!hasBody(request)) return { post: null, errors: [] };
  const contentType = parseMediaType(request.headers['content-type']);
  const reader = new BodyReader(selectReader(contentType)!, selectCharset(contentType), spools, {
    ...readingLimits,
    textChars: limits.maxTextChars ?? readingLimits.textChars,
  });
  return readBody(request, reader, spools, limits.maxBodyBytes);
}

/** The old module's challenge: clients that send their password only when asked depend on it. */
function unauthorized(as: Representation, retryAfterSeconds?: number): Reply {
  return errorReply(401, as, texts.unauthorized, {
    'WWW-Authenticate': 'Basic realm="Requestor"',
    ...(retryAfterSeconds === undefined ? {} : { 'Retry-After': retryAfterSeconds }),
  });
}

/** @returns undefined when there is nobody left to answer */
function answerError(error: unknown, { as, context }: Visit, ports: LegacyPorts): Reply | undefined {
  if (error instanceof Aborted) return undefined;
  if (error instanceof TooLarge) return errorReply(413, as, texts.tooLarge);
  if (error instanceof BadCredential) return unauthorized(as, error.retryAfterSeconds);
  if (error instanceof RateLimited)
    return errorReply(429, as, `${error.message}.`, { 'Retry-After': error.retryAfterSeconds });
  if (error instanceof BadRequest) return errorReply(400, as, error.message);
  if (error instanceof Unavailable) {
    const { retryAfterSeconds } = error;
    const message = `The service is not available just now. Try again in ${retryAfterSeconds} s.`;
    return errorReply(503, as, message, { 'Retry-After': retryAfterSeconds });
  }
  if (error instanceof GraphQLError) {
    const status = statusOfError(error);
    if (status !== undefined) return errorReply(status, as, error.message);
    // What the schema says is INTERNAL has been logged where it happened.
    if (error.extensions.code === 'INTERNAL') return errorReply(500, as, texts.fault);
  }
  if (context) context.log.error({ err: error, requestId: context.requestId }, 'legacy call failed');
  else ports.fault?.(error);
  return errorReply(500, as, texts.fault);
}

const unused = emptyPost();

/** Who still calls, by the product name in its User-Agent, and with which of the old members. */
function useOf({ request, post }: Visit): { client: string; fields: string[] } {
  const product = /^[\w.+-]{1,40}/.exec(request.headers['user-agent'] ?? '')?.[0];
  const fields = Object.entries(post ?? {}).filter(
    ([name, value]) => value !== unused[name as keyof NewMessagePost],
  );
  return { client: product ?? 'unknown', fields: fields.map(([name]) => name) };
}
