import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';

/** A result in the form that clients get, and the status and headers that its errors require. */
export interface FormattedResult {
  readonly body: FormattedExecutionResult;
  /** Required by an error. Undefined when no error requires one. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Whether the request was understood and every error is about what it asked for. */
  readonly understood: boolean;
}

interface Http {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly spec?: boolean;
}

const noHeaders = {};

/** Formats a result, and collects the status and headers that its errors require. */
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

/** Shortens a message that quotes megabytes. It keeps both ends, which say what is wrong. */
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
  text.length <= longest ? text : `${text.slice(0, keep)} … ${text.slice(-keep)}`;
