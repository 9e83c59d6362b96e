import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  type GraphQLFormattedError,
} from 'graphql';
import type { DeskContext } from '../tickets/desk.ts';
import { asksForTheSchema, operationOf, validDocument } from './documents.ts';
import { withSafeErrors } from './faults.ts';
import { createLoaders } from './loaders.ts';
import { schema } from './schema.ts';

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
export function directRequest(req: IncomingMessage, body: Buffer): DirectRequest | undefined {
  if (req.url !== '/graphql' || mediaTypeFor(req) === undefined) return undefined;
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
 * @returns false, with nothing executed and nothing written, when Yoga should say what is wrong with it
 */
export async function answerDirectly(
  req: IncomingMessage,
  res: ServerResponse,
  { query, variables, operationName }: DirectRequest,
  ctx: DeskContext,
): Promise<boolean> {
  if (ctx.viewer === undefined && asksForTheSchema(query)) return false;
  const known = validDocument(query);
  if (known === undefined) return false;
  const { document, modest } = known;
  const operation = operationOf(document, operationName);
  if (operation === undefined || operation.operation === 'subscription') return false;
  const result = (await execute({
    schema,
    document,
    operationName,
    variableValues: variables,
    contextValue: { ...ctx, load: createLoaders(ctx), modest },
  })) as ExecutionResult;
  // Variables that do not fit: nothing was executed.
  if (result.data === undefined) return false;
  answer(res, mediaTypeFor(req)!, withSafeErrors(result, ctx));
  return true;
}

const jsonType = 'application/json';
const responseType = 'application/graphql-response+json';

/** What the answer is called, for the Accept headers that clients really send; undefined for any other. */
function mediaTypeFor({ headers: { accept } }: IncomingMessage): string | undefined {
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

function answer(res: ServerResponse, type: string, result: ExecutionResult): void {
  const { status, headers, body } = answerOf(result);
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(text),
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
