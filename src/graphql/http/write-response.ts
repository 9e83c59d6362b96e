import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { sendResponse } from '../../platform/http/send-response.ts';
import { jsonBytes, jsonPieces } from '../engine/json-pieces.ts';
import { isLong, responseTooLarge } from '../engine/response-budget.ts';
import type { Operation } from '../execute/prepare-operation.ts';
import { type FormattedResult, formatResult } from './format-result.ts';
import { contentTypes } from './response-media-types.ts';

/** Headers of every answer of /graphql. */
export const commonHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;
const varying = 'Accept, Authorization';

/** The Vary header: what the route has set already, and what every answer depends on. */
export function vary(res: ServerResponse): string {
  const before = res.getHeader('vary');
  return before === undefined ? varying : `${String(before)}, ${varying}`;
}

/** How a result is written. */
export interface WriteOptions {
  /** Maximum bytes of one response. */
  readonly responseBytes: number;
  /** Undefined when the operation is not known. */
  readonly kind: Operation['kind'] | undefined;
}

interface AsJson {
  readonly outcome: FormattedResult;
  /** Pieces, each made when it is written, of an answer that is long. */
  readonly body: string | Iterable<string>;
  /** Bytes. */
  readonly length: number;
}

/**
 * Serializes a result. It may still be too large here: the engine counts a character as one byte, and some
 * take six.
 */
export function asJson(result: ExecutionResult, options: WriteOptions): AsJson {
  const { responseBytes, kind } = options;
  const outcome = formatResult(result);
  if (isLong(result.data)) {
    const bytes = jsonBytes(outcome.body, responseBytes);
    if (bytes <= responseBytes) return { outcome, body: jsonPieces(outcome.body), length: bytes };
    return asJson({ errors: [responseTooLarge(responseBytes, kind)], data: null }, options);
  }
  const body = stringify(outcome.body);
  const length = body === undefined ? Infinity : Buffer.byteLength(body);
  if (body !== undefined && (length <= responseBytes || result.data == null))
    return { outcome, body, length };
  return asJson({ errors: [responseTooLarge(responseBytes, kind)], data: null }, options);
}

/** Returns undefined for a text longer than V8's maximum. */
function stringify(value: object): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Writes one result in one piece, with the status that GraphQL over HTTP has for it in this form. */
export function writeResult(
  req: IncomingMessage,
  res: ServerResponse,
  form: 'json' | 'response',
  result: ExecutionResult,
  options: WriteOptions,
): void {
  const { outcome, body, length } = asJson(result, options);
  const headers = {
    ...commonHeaders,
    'Content-Type': contentTypes[form],
    'Content-Length': length,
    Vary: vary(res),
  };
  Object.assign(headers, outcome.headers);
  sendResponse(req, res, { status: statusOf(outcome, form), headers, body });
}

/**
 * With `application/json`, status 200 means that the answer is a GraphQL response, with or without errors.
 * Other statuses mean that the request was not GraphQL or that the gateway could not answer it. With
 * `application/graphql-response+json`, the status itself reports the error.
 */
function statusOf({ body, status, understood }: FormattedResult, form: 'json' | 'response'): number {
  if (body.data !== undefined) return 200;
  if (form === 'json' && understood) return 200;
  return status ?? 400;
}
