import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult, FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { DeskContext } from '../tickets/desk.ts';
import { type Basis, watchReads } from '../tickets/reads.ts';
import { asksForTheSchema, operationOf, validDocument } from './documents.ts';
import { executeKnown } from './execute.ts';
import { safeError } from './faults.ts';

/*
 * The plain case of GraphQL over HTTP, without adapting requests to the Fetch API and back, which costs several times what the
 * execution does: a JSON POST of one valid query or mutation, answered in one piece. Whatever is not so plain, an error in the request
 * among them, is left to Yoga, which sees the same body.
 */

export interface DirectRequest {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>> | undefined;
  readonly operationName: string | undefined;
}

/** The request in a JSON body, if it is plain. */
export function directRequest(body: Buffer): DirectRequest | undefined {
  let params: unknown;
  try {
    params = JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof params !== 'object' || params === null || Array.isArray(params)) return undefined;
  const { query, variables, operationName, ...rest } = params as Record<string, unknown>;
  const plain =
    typeof query === 'string' &&
    (variables == null || (typeof variables === 'object' && !Array.isArray(variables))) &&
    (operationName == null || typeof operationName === 'string') &&
    Object.keys(rest).length === 0;
  if (!plain) return undefined;
  return {
    query,
    variables: (variables ?? undefined) as DirectRequest['variables'],
    operationName: (operationName as string | null | undefined) ?? undefined,
  };
}

/**
 * Executes and answers a plain request.
 * @param type what the answer is called, by `answerTypeFor`
 * @param keep told of an answer that can be given again as long as its basis is unchanged
 * @returns false, with nothing executed and nothing written, when Yoga should say what is wrong with it
 */
export async function answerDirectly(
  res: ServerResponse,
  type: string,
  { query, variables, operationName }: DirectRequest,
  ctx: DeskContext,
  keep?: ((answer: PlainAnswer, basis: Basis) => void) | undefined,
): Promise<boolean> {
  if (ctx.viewer === undefined && asksForTheSchema(query)) return false;
  const known = validDocument(query);
  if (known === undefined) return false;
  const operation = operationOf(known.document, operationName);
  if (operation === undefined || operation.operation === 'subscription') return false;
  const watched = keep !== undefined && operation.operation === 'query' ? watchReads(ctx.desk) : undefined;
  const context = watched === undefined ? ctx : { ...ctx, desk: watched.desk, reads: watched.reads };
  const result = await executeKnown(known, operationName, variables, context);
  // Variables that do not fit: nothing was executed.
  if (result.data === undefined) return false;
  const { status, headers, body } = answerOf(result);
  const text = JSON.stringify(body);
  const answer = { text, byteLength: Buffer.byteLength(text) };
  writePlain(res, type, answer, status, headers);
  const basis = result.errors === undefined ? watched?.basis() : undefined;
  if (basis !== undefined) keep!(answer, basis);
  return true;
}

const jsonType = 'application/json';
const responseType = 'application/graphql-response+json';

/** What the answer to a plain request is called, for the Accept headers that clients really send; undefined for any other. */
export function answerTypeFor({ url, headers: { accept } }: IncomingMessage): string | undefined {
  if (url !== '/graphql') return undefined;
  switch (accept) {
    case undefined:
    case '*/*':
    case jsonType:
    case 'application/json, */*':
      return jsonType;
    case responseType:
    case 'application/graphql-response+json, application/json':
    case 'application/graphql-response+json,application/json':
    case 'application/graphql-response+json, application/json;q=0.9':
      return responseType;
    default:
      return undefined;
  }
}

/** Answers what went wrong before anything was executed. */
export function answerError(res: ServerResponse, type: string, error: unknown, ctx: DeskContext): undefined {
  const { status, headers, body } = answerOf({ errors: [safeError(error, ctx)] });
  const text = JSON.stringify(body);
  writePlain(res, type, { text, byteLength: Buffer.byteLength(text) }, status, headers);
}

export interface PlainAnswer {
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly byteLength: number;
}

export function writePlain(
  res: ServerResponse,
  type: string,
  { text, byteLength }: PlainAnswer,
  status = 200,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': byteLength,
    ...headers,
  });
  res.end(text);
}

/** An error may ask for a status and headers, such as Retry-After; they are not part of the answer's text. */
function answerOf({ data, errors }: ExecutionResult): {
  status: number;
  headers: Record<string, string>;
  body: FormattedExecutionResult;
} {
  if (errors === undefined) return { status: 200, headers: {}, body: { data: data! } };
  let status = 0;
  const headers: Record<string, string> = {};
  const told: GraphQLFormattedError[] = errors.map((error) => {
    const { http, ...extensions } = error.extensions as {
      http?: { status?: number; headers?: Record<string, string> };
    };
    status = Math.max(status, http?.status ?? 0);
    Object.assign(headers, http?.headers);
    const { extensions: _, ...formatted } = error.toJSON();
    return Object.keys(extensions).length === 0 ? formatted : { ...formatted, extensions };
  });
  return { status: status || 200, headers, body: { errors: told, data: data! } };
}
