import type { IncomingMessage } from 'node:http';

/** By which a request comes in; a closed list, as metrics are labelled with it. */
export const doors = [
  ...(['graphql', 'legacy', 'uploads', 'attachments', 'deliveries', 'inbox', 'explorer', 'health'] as const),
  ...(['metrics', 'home', 'none'] as const),
] as const;
export type Door = (typeof doors)[number];

/**
 * What a request's line in the log and its metrics say of it. It is filled in on the request's way, and holds
 * names of ours and of the schema alone: no text, value or address that a caller sent.
 */
export interface Noted {
  door: Door;
  /** The operation's own name, which the grammar bounds to letters, digits and `_`. */
  operation?: string;
  kind?: 'query' | 'mutation' | 'subscription';
  viewerId?: number;
  /** Codes of refusals and errors, each once. */
  codes?: string[];
  /** An answer that comes bit by bit: how long it takes says nothing of the gateway. */
  lasting?: boolean;
}

/** On the request itself: a weak map of all that are under way costs each collection of garbage something. */
const key = Symbol('noted');

export const notedOf = (req: IncomingMessage & { [key]?: Noted }): Noted => (req[key] ??= { door: 'none' });

/** So many codes say what is wrong; a query may have an error at each of a thousand fields. */
const maxCodes = 8;
const longestName = 64;

export function noteCode(noted: Noted, code: unknown): void {
  if (typeof code !== 'string') return;
  noted.codes ??= [];
  if (noted.codes.length < maxCodes && !noted.codes.includes(code)) noted.codes.push(code);
}

/** Errors as graphql-js has them. */
export function noteErrors(
  noted: Noted,
  errors: readonly { readonly extensions: Readonly<Record<string, unknown>> }[] = [],
): void {
  for (const { extensions } of errors) noteCode(noted, extensions.code);
}

export function noteOperation(noted: Noted, kind: NonNullable<Noted['kind']>, name = 'anonymous'): void {
  noted.kind = kind;
  noted.operation = name.length > longestName ? name.slice(0, longestName) : name;
}

/** How a request ended, for whoever watches the gateway: `fault` is ours, whatever the status says. */
export const outcomes = [
  'ok',
  'refused',
  'unauthenticated',
  'limited',
  'unavailable',
  'fault',
  'cut',
] as const;
export type Outcome = (typeof outcomes)[number];

/** @param finished whether the whole answer went out */
export function outcomeOf({ codes = [], lasting }: Noted, status: number, finished: boolean): Outcome {
  if (status === 500 || codes.includes('INTERNAL')) return 'fault';
  if (status === 503 || codes.includes('UNAVAILABLE')) return 'unavailable';
  // Whoever watches goes away in the middle; that is how watching ends.
  if (!finished && lasting !== true) return 'cut';
  if (status === 429 || codes.includes('RATE_LIMITED')) return 'limited';
  if (status === 401 || codes.includes('BAD_CREDENTIAL')) return 'unauthenticated';
  return codes.length > 0 || status >= 400 ? 'refused' : 'ok';
}
