import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import { Unavailable } from '../../platform/errors.ts';
import { requestIdOf } from '../../platform/http/send-response.ts';
import type { Logger } from '../../platform/log.ts';
import { noteErrors, notesOf } from '../../platform/request-notes.ts';
import type { TicketContext } from '../../tickets/context.ts';
import { jsonBytes } from '../engine/json-pieces.ts';
import {
  type Operation,
  type OperationParams,
  OperationRefused,
  type PrepareOperation,
} from '../execute/prepare-operation.ts';
import { safeError } from '../execute/safe-errors.ts';
import type { TrustedDocuments } from '../execute/trusted-documents.ts';
import { httpError } from './http-error.ts';
import { anonymousBodyBytes, type createRead, validateParams } from './read-request.ts';
import { acceptedForms, formFor, formOfProblem, type ResponseForm } from './response-media-types.ts';
import { formatResult, writeResult } from './write-response.ts';
import { createStreams } from './write-stream.ts';

/** What serving GraphQL needs. */
export interface TransportOptions {
  readonly log: Logger;
  /** Whether a GET without a credential is rejected, so that no link on another site's page can cause one. */
  readonly production: boolean;
  /** Maximum bytes of one response with data; a larger one is replaced by the error ANSWER_TOO_LARGE. */
  readonly responseBytes: number;
  /** When given, only these documents are accepted. */
  readonly trusted?: TrustedDocuments | undefined;
  readonly read: ReturnType<typeof createRead>;
  readonly prepare: PrepareOperation;
}

/** An error before execution that is not the client's mistake gets status 500. */
function withStatus(error: GraphQLError): GraphQLError {
  if (error.extensions.http !== undefined) return error;
  return new GraphQLError(error.message, { extensions: { ...error.extensions, http: { status: 500 } } });
}

/** A subscription keeps its document and variables in memory while it is open, and a user may have many. */
function assertBrief(asked: OperationParams): void {
  if (jsonBytes(asked, anonymousBodyBytes) > anonymousBodyBytes)
    throw httpError(413, `The request of a subscription exceeds ${anonymousBodyBytes} bytes`);
}

/**
 * Signs the caller in and makes the request's context, whose viewer is undefined without a credential.
 * @throws BadCredential, BadRequest, RateLimited, Unavailable
 */
export type SignIn = (req: IncomingMessage, res: ServerResponse) => Promise<TicketContext>;

/**
 * Serves GraphQL over HTTP: negotiate, sign in, read, parse and validate, execute or subscribe, write.
 * Requests as JSON, in a URL and as multipart differ only in reading. Single answers and streams differ only
 * in writing.
 * @returns `handle(req, res, signIn)` answers one request of any method, errors included, and does not reject
 *   for them; it calls `signIn` before it reads the body. `streams()` is the number of open streams.
 *   `cutStreams()` ends them without `complete`, so that their readers reconnect to another process, and
 *   makes later subscriptions fail with 503
 */
export function createHttpTransport({
  log,
  production,
  responseBytes,
  trusted,
  read,
  prepare,
}: TransportOptions) {
  const streams = createStreams({ responseBytes });

  function operationOf(req: IncomingMessage, params: unknown, ctx: TicketContext): Operation {
    const asked = validateParams(params, trusted);
    if (req.method === 'GET' && production && ctx.viewer === undefined)
      throw httpError(401, 'GET requests need a credential; send a POST', { code: 'UNAUTHENTICATED' });
    // An empty id is what the standard calls none.
    const operation = prepare(asked, ctx, req.headers['last-event-id']?.toString() || undefined);
    if (operation.kind === 'subscription') assertBrief(asked);
    if (operation.kind === 'mutation' && req.method === 'GET')
      throw httpError(405, 'A mutation is sent by POST', { headers: { Allow: 'POST' } });
    return operation;
  }

  /**
   * Reports an error from before execution. It is sent as an event where a stream was requested, because the
   * reader of a stream does not see the status.
   */
  function refuse(
    req: IncomingMessage,
    res: ServerResponse,
    accepted: readonly ResponseForm[],
    error: unknown,
  ): void {
    const asked = { requestId: requestIdOf(res), log };
    const errors = error instanceof OperationRefused ? error.errors : [withStatus(safeError(error, asked))];
    noteErrors(notesOf(req), errors);
    const { status = 400, understood } = formatResult({ errors });
    const isAboutTheRequest = understood || status === 400;
    if (accepted[0] === 'events' && isAboutTheRequest) return streams.write(req, res, 'events', { errors });
    writeResult(req, res, formOfProblem(accepted), { errors }, { responseBytes, kind: undefined });
  }

  return {
    /** Number of open streams. */
    streams: () => streams.count,
    async handle(req: IncomingMessage, res: ServerResponse, begin: SignIn): Promise<void> {
      const accepted = acceptedForms(req.headers.accept);
      try {
        if (req.method !== 'POST' && req.method !== 'GET')
          throw httpError(405, 'Send GraphQL requests by POST or GET', { headers: { Allow: 'GET, POST' } });
        formFor(accepted, undefined);
        const ctx = await begin(req, res);
        const operation = operationOf(req, await read(req, res, ctx), ctx);
        const form = formFor(accepted, operation.kind);
        if (operation.kind === 'subscription' && streams.areCut)
          throw new Unavailable('This process is shutting down');
        const result = await operation.run();
        if (form === 'events' || form === 'parts') return streams.write(req, res, form, result, operation);
        writeResult(req, res, form, result as ExecutionResult, { responseBytes, kind: operation.kind });
      } catch (error) {
        refuse(req, res, accepted, error);
      }
    },
    /** Cuts endless streams. Their readers reconnect, to another process. */
    cutStreams: streams.cut,
  };
}
