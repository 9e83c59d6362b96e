import type { ExecutionResult, FormattedExecutionResult, GraphQLError, GraphQLFormattedError } from 'graphql';

/** A result as a client is told it, and what its errors ask of the answer's head. */
export interface Told {
  readonly body: FormattedExecutionResult;
  /** OperationParams for by an error; undefined: by none. */
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Each error is about what was asked, in a request that was understood. */
  readonly understood: boolean;
}

interface Http {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly spec?: boolean;
}

export function told({ data, errors, extensions }: ExecutionResult): Told {
  // What a plugin adds beside the answer.
  const beside = extensions === undefined ? {} : { extensions };
  if (errors === undefined)
    return { body: { data: data!, ...beside }, status: undefined, headers: {}, understood: true };
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
  // A form that breaks off while its operation runs, a database that is away: nothing was answered, and the
  // status says so.
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

/** Characters of a value that an error quotes, and of a whole message, at most. */
const longestValue = 200;
const longestMessage = 600;
const kept = 90;

/**
 * An error may quote what it is about, which may be megabytes: what is said of it stands before it and
 * behind it.
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
  text.length <= longest ? text : `${text.slice(0, keep)} … ${text.slice(-keep)}`;
