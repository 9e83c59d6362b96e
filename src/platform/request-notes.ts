import type { IncomingMessage } from 'node:http';

/** Entry points of requests. The list is closed because it labels metrics. */
export const doors = [
  ...([
    'graphql',
    'legacy',
    'uploads',
    'attachments',
    'deliveries',
    'inbox',
    'ledger',
    'explorer',
    'health',
  ] as const),
  ...(['metrics', 'home', 'none'] as const),
] as const;
/** An entry point of requests. */
export type Door = (typeof doors)[number];

/**
 * Facts for a request's log line and metrics, collected while it is processed. Only names of ours and of the
 * schema belong here: no text, value or address that a caller sent.
 */
export interface RequestNotes {
  door: Door;
  /** The operation's name; the grammar allows only letters, digits and `_`. */
  operation?: string;
  kind?: 'query' | 'mutation' | 'subscription';
  /** The user who was signed in. */
  viewerId?: number;
  /** Codes of refusals and errors, each once, at most 8. */
  codes?: string[];
  /** A streamed response, whose duration says nothing about the gateway. */
  lasting?: boolean;
}

/** Stored on the request, because a WeakMap of all requests slows down each garbage collection. */
const key = Symbol('notes');

/** The notes of a request, created at the first call with door `none`. They are kept on the request. */
export const notesOf = (req: IncomingMessage & { [key]?: RequestNotes }): RequestNotes =>
  (req[key] ??= { door: 'none' });

/** Codes recorded per request, at most: a query may have an error at each of a thousand fields. */
const maxCodes = 8;
const longestName = 64;

/**
 * Records the code of a refusal or an error, once. Ignores what is not a text, and codes beyond the eighth.
 */
export function noteCode(notes: RequestNotes, code: unknown): void {
  if (typeof code !== 'string') return;
  notes.codes ??= [];
  if (notes.codes.length < maxCodes && !notes.codes.includes(code)) notes.codes.push(code);
}

/** Records the codes of GraphQL errors, as `noteCode` does. */
export function noteErrors(
  notes: RequestNotes,
  errors: readonly { readonly extensions: Readonly<Record<string, unknown>> }[] = [],
): void {
  for (const { extensions } of errors) noteCode(notes, extensions.code);
}

/** Records an operation. Its name is cut to 64 characters, and `anonymous` if it has none. */
export function noteOperation(
  notes: RequestNotes,
  kind: NonNullable<RequestNotes['kind']>,
  name = 'anonymous',
): void {
  notes.kind = kind;
  notes.operation = name.length > longestName ? name.slice(0, longestName) : name;
}

/**
 * How a request ended, for monitoring. `ok`: without an error or a refusal. `refused`: by a refusal or an
 * error of the caller's. `unauthenticated`: its credential was rejected. `limited`: a rate limit.
 * `unavailable`: a temporary fault of the database, the file store or a queue. `fault`: an error of the
 * gateway, whatever the status is. `cut`: the connection ended before the response was sent.
 */
export const outcomes = [
  'ok',
  'refused',
  'unauthenticated',
  'limited',
  'unavailable',
  'fault',
  'cut',
] as const;
/** How a request ended. */
export type Outcome = (typeof outcomes)[number];

/**
 * Derives the outcome from the notes and the status: the first that applies of `fault`, `unavailable`, `cut`,
 * `limited`, `unauthenticated`, `refused` and `ok`. A streamed response is never `cut`.
 * @param finished whether the whole response was sent
 */
export function requestOutcome(
  { codes = [], lasting }: RequestNotes,
  status: number,
  finished: boolean,
): Outcome {
  if (status === 500 || codes.includes('INTERNAL')) return 'fault';
  if (status === 503 || codes.includes('UNAVAILABLE')) return 'unavailable';
  // A subscription normally ends by a disconnect.
  if (!finished && lasting !== true) return 'cut';
  if (status === 429 || codes.includes('RATE_LIMITED')) return 'limited';
  if (status === 401 || codes.includes('BAD_CREDENTIAL')) return 'unauthenticated';
  return codes.length > 0 || status >= 400 ? 'refused' : 'ok';
}
