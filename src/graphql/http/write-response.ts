import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';
import { sendResponse } from '../../platform/http/send-response.ts';
import { jsonBytes, jsonPieces } from '../engine/json-pieces.ts';
import { isLong, responseTooLarge } from '../engine/response-budget.ts';
import type { Operation } from '../execute/prepare-operation.ts';
import { contentTypes } from './response-media-types.ts';

/** Headers of every answer of /graphql. */
export const commonHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
} as const;
const varying = 'Accept, Authorization';

/**
 * Returns the value for the Vary header without setting it: whatever the route has already set, followed by
 * `Accept, Authorization`, on which every answer depends.
 */
export function varyHeader(res: ServerResponse): string {
  const before = res.getHeader('vary');
  return before === undefined ? varying : `${String(before)}, ${varying}`;
}

/** How a result is written. */
export interface WriteOptions {
  /** Maximum bytes of one response with data. One without data may be longer. */
  readonly responseBytes: number;
  /** The operation's type, for the text of ANSWER_TOO_LARGE. Undefined when it is not known. */
  readonly kind: Operation['kind'] | undefined;
}

/** A result in the form that clients get, and the status and headers that its errors require. */
export interface FormattedResult {
  readonly body: FormattedExecutionResult;
  /** The highest HTTP status that an error requires. Undefined when none requires one. */
  readonly status: number | undefined;
  /** The headers that errors require; empty when none requires any. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Whether the request was understood, so that its errors are about what it asked for. True without errors;
   * false for a malformed request, a rejected credential or a database that is down.
   */
  readonly understood: boolean;
}

interface Http {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly spec?: boolean;
}

const noHeaders = {};

/**
 * Formats a result, and collects the status and headers that its errors require from their `extensions.http`,
 * which clients do not get. Long messages are shortened. If several errors require the same header, the last
 * one counts. The body has no `data` if nothing was executed, or if the request was not understood, an error
 * requires a status, and every top-level field is null.
 */
export function formatResult({ data, errors, extensions }: ExecutionResult): FormattedResult {
  // Extensions that a plugin added.
  const beside = extensions && { extensions };
  if (errors === undefined)
    return { body: { data: data!, ...beside }, status: undefined, headers: noHeaders, understood: true };
  let status: number | undefined;
  let understood = true;
  const headers: Record<string, string> = {};
  for (const error of errors) {
    const http = error.extensions.http as Http | undefined;
    if (http === undefined) continue;
    if (http.status !== undefined) status = Math.max(status ?? 0, http.status);
    if (http.spec !== true) understood = false;
    Object.assign(headers, http.headers);
  }
  const formatted = errors.map(formatError);
  // When a form breaks off during execution, or the database is down, nothing was answered. The status must
  // say so.
  const isAnswer = data !== undefined && !(status !== undefined && !understood && isEmpty(data));
  return {
    body: isAnswer ? { errors: formatted, data, ...beside } : { errors: formatted, ...beside },
    status,
    headers,
    understood,
  };
}

const isEmpty = (data: ExecutionResult['data']): boolean =>
  data == null || Object.values(data).every((value) => value === null);

function formatError(error: GraphQLError): GraphQLFormattedError {
  const { extensions: _, message, ...where } = error.toJSON();
  const { http, ...extensions } = error.extensions;
  return { message: shorten(message), ...where, extensions };
}

/** Maximum characters of a quoted value and of a whole message. */
const longestValue = 200;
const longestMessage = 600;
const kept = 90;

/**
 * Shortens a message that quotes very long input, to 600 characters at most, by cutting out the middle of
 * quoted values and of words of more than 200 characters: both ends say what is wrong. If that is not enough,
 * the middle of the message is cut out. One of up to 200 characters is returned unchanged.
 */
export function shorten(message: string): string {
  if (message.length <= longestValue) return message;
  const ends = cutMiddle(message, 4 * longestMessage, 2 * longestMessage);
  const brief = ends
    .replace(/"(?:[^"\\]|\\.)*"/gs, (quoted) => cutMiddle(quoted, longestValue, kept))
    .replace(/(?:value:?|found) (.+?)(?= at "|; |$)/gs, (quoted) => cutMiddle(quoted, longestValue, kept))
    .replace(/\S{201,}/g, (run) => cutMiddle(run, longestValue, kept));
  return cutMiddle(brief, longestMessage, kept);
}

const cutMiddle = (text: string, longest: number, keep: number): string =>
  text.length <= longest ? text : `${text.slice(0, keep)} … ${text.slice(-keep)}`.toWellFormed();

interface AsJson {
  readonly outcome: FormattedResult;
  /** Of an answer that is long: pieces, each made when it is written, again for each reader. */
  readonly body: string | Iterable<string>;
  /** Bytes. */
  readonly length: number;
}

/**
 * Serializes a result. It may exceed the limit only here, because the engine counts one byte for each
 * character, and some take six. A result with data is then replaced by the error ANSWER_TOO_LARGE. One whose
 * data is null or absent has only its errors, and is replaced only if it is longer than V8's longest text.
 * @returns `outcome`: the formatted result. `body`: its JSON; a long one is an iterable of pieces, made anew
 *   for each iteration. `length`: bytes of the JSON
 */
export function asJson(result: ExecutionResult, options: WriteOptions): AsJson {
  const { responseBytes, kind } = options;
  const outcome = formatResult(result);
  if (isLong(result.data)) {
    const bytes = jsonBytes(outcome.body, responseBytes);
    if (bytes <= responseBytes)
      return { outcome, body: { [Symbol.iterator]: () => jsonPieces(outcome.body) }, length: bytes };
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

/**
 * Writes one result as `asJson` serializes it, and ends the response, with the status that GraphQL over HTTP
 * prescribes for this form: 200 with `data`, also if that is null. Without `data`, the status of `response`
 * is the one that an error requires, or else 400; that of `json` is 200 if the request was understood (see
 * `FormattedResult`), or else the same as for `response`. Sends `commonHeaders`, Content-Type,
 * Content-Length, Vary (`varyHeader`) and the headers that the errors require, which override these: the
 * caller sets none of them. Does nothing once a response has begun.
 */
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
    Vary: varyHeader(res),
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
