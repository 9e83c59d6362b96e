import Negotiator from 'negotiator';
import { memoize } from '../../platform/memoize.ts';
import { httpError } from './http-error.ts';

/** The media types of answers. Of several that a caller accepts equally, the first is used. */
const served = {
  json: 'application/json',
  response: 'application/graphql-response+json',
  events: 'text/event-stream',
  // Apollo's clients receive subscriptions in this form by default.
  parts: 'multipart/mixed;subscriptionSpec=1.0',
} as const;
/**
 * A media type in which responses are sent: `json` is application/json, `response` is
 * application/graphql-response+json, `events` is text/event-stream, and `parts` is Apollo's multipart/mixed
 * for subscriptions.
 */
export type ResponseForm = keyof typeof served;
const formOf = new Map<string, ResponseForm>(
  Object.entries(served).map(([form, type]) => [type, form as ResponseForm]),
);

/** The Content-Type of each form. */
export const contentTypes = {
  json: 'application/json; charset=utf-8',
  response: 'application/graphql-response+json; charset=utf-8',
  events: 'text/event-stream; charset=utf-8',
  parts: 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
} as const satisfies Record<ResponseForm, string>;

type OperationKind = 'query' | 'mutation' | 'subscription';
/** The operations that each form can answer: single results, or streams of them. */
const suits = {
  json: ['query', 'mutation'],
  response: ['query', 'mutation'],
  events: ['query', 'mutation', 'subscription'],
  parts: ['subscription'],
} as const satisfies Record<ResponseForm, readonly OperationKind[]>;

/** Maximum characters of an Accept header that are parsed. Those of browsers and clients have about 200. */
const longest = 4096;

/**
 * The forms that an Accept header allows, best first. Memoized, because clients send few different headers.
 */
const formsOf = memoize(
  (accept) => {
    const types = new Negotiator({ headers: { accept: withoutDetails(accept) } }).mediaTypes([
      ...formOf.keys(),
    ]);
    return types.map((type) => formOf.get(type)!);
  },
  { texts: 500, longest: 500 },
);

/**
 * The forms that an Accept header allows, the best one first; empty if it allows none. Without the header, or
 * with an empty one, all are allowed, `json` first. Only its first 4,096 characters are read.
 */
export const acceptedForms = (accept: string | undefined): readonly ResponseForm[] =>
  formsOf(accept === undefined || accept.trim() === '' ? '*/*' : accept.slice(0, longest));

/**
 * Removes parameters that change nothing, such as charset and boundary. Quality and Apollo's protocol remain.
 */
const withoutDetails = (accept: string): string =>
  accept.replace(/;\s*(?!(?:q|subscriptionSpec)\s*=)[^;,="\s]+\s*=\s*(?:"[^"]*"|[^;,\s]*)/gi, '');

/**
 * Chooses the form of a response before anything is executed: the first accepted one in which an operation of
 * this kind can be answered. `json` and `response` suit queries and mutations, `parts` subscriptions, and
 * `events` all three.
 * @param kind undefined: not known yet, so any form will do
 * @throws GraphQLError 406 when there is none
 */
export function formFor(accepted: readonly ResponseForm[], kind: OperationKind | undefined): ResponseForm {
  const form = accepted.find(
    (one) => kind === undefined || (suits[one] as readonly OperationKind[]).includes(kind),
  );
  if (form !== undefined) return form;
  throw httpError(
    406,
    `Accept one of these: ${served.response}, ${served.json} or ${served.events}; ` +
      `for a subscription ${served.events} or ${served.parts}`,
  );
}

/**
 * The form for an error from before an operation was known: the first of `json` and `response` that is
 * accepted. A caller that accepts neither gets `json`.
 */
export const formOfProblem = (accepted: readonly ResponseForm[]): 'json' | 'response' =>
  accepted.find((form) => form === 'json' || form === 'response') ?? 'json';
