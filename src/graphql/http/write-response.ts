import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { jsonBytes, jsonPieces } from '../../platform/json-pieces.ts';
import { sendAnswer } from '../../platform/send-response.ts';
import { answerTooLarge, isLong } from '../engine/answer-budget.ts';
import type { Operation } from '../execute/operation.ts';
import { type Told, told } from './format-result.ts';
import { contentTypes } from './response-forms.ts';

/** On every answer of /graphql: nothing of it is kept by a cache or taken for another type. */
export const commonHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;
const varying = 'Accept, Authorization';

/** What an answer depends on, beside what its route has said already. */
export function vary(res: ServerResponse): string {
  const before = res.getHeader('vary');
  return before === undefined ? varying : `${String(before)}, ${varying}`;
}

export interface WriteOptions {
  /** Bytes of one answer at most. */
  readonly answerBytes: number;
  /** Undefined: none is known. */
  readonly kind: Operation['kind'] | undefined;
}

interface AsJson {
  readonly outcome: Told;
  /** Pieces, each made when it is written, of an answer that is long. */
  readonly body: string | Iterable<string>;
  /** Bytes. */
  readonly length: number;
}

/**
 * A result as its reader gets it. What the engine let pass may still be too large: it counts a character as
 * one byte, and some are six.
 */
export function asJson(result: ExecutionResult, options: WriteOptions): AsJson {
  const { answerBytes, kind } = options;
  const outcome = told(result);
  if (isLong(result.data)) {
    const bytes = jsonBytes(outcome.body, answerBytes);
    if (bytes <= answerBytes) return { outcome, body: jsonPieces(outcome.body), length: bytes };
    return asJson({ errors: [answerTooLarge(answerBytes, kind)], data: null }, options);
  }
  const body = stringify(outcome.body);
  const length = body === undefined ? Infinity : Buffer.byteLength(body);
  if (body !== undefined && (length <= answerBytes || result.data == null)) return { outcome, body, length };
  return asJson({ errors: [answerTooLarge(answerBytes, kind)], data: null }, options);
}

/** Undefined: it is longer than a text can be. */
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
    'Content-Type': contentTypes[form],
    'Content-Length': length,
    'Cache-Control': commonHeaders['Cache-Control'],
    'X-Content-Type-Options': commonHeaders['X-Content-Type-Options'],
    Vary: vary(res),
    ...outcome.headers,
  };
  sendAnswer(req, res, { status: statusOf(outcome, form), headers, body });
}

/**
 * With `application/json`, 200 says that the answer is the gateway's own, whatever it says; other statuses
 * are for what was no request of GraphQL, and for what kept the gateway from answering. With
 * `application/graphql-response+json`, the status tells an error by itself.
 */
function statusOf({ body, status, understood }: Told, form: 'json' | 'response'): number {
  if (body.data !== undefined) return 200;
  if (form === 'json' && understood) return 200;
  return status ?? 400;
}
