import Negotiator from 'negotiator';
import { remembering } from '../../platform/lru.ts';
import { httpError } from './request-error.ts';

/** The forms of answers. Of those that a caller likes as well, the first is taken. */
const served = {
  json: 'application/json',
  response: 'application/graphql-response+json',
  events: 'text/event-stream',
  // Of Apollo's clients: their subscriptions come in parts, unless they are told otherwise.
  parts: 'multipart/mixed;subscriptionSpec=1.0',
} as const;
export type ResponseForm = keyof typeof served;
const formOf = new Map<string, ResponseForm>(
  Object.entries(served).map(([form, type]) => [type, form as ResponseForm]),
);

export const contentTypes = {
  json: 'application/json; charset=utf-8',
  response: 'application/graphql-response+json; charset=utf-8',
  events: 'text/event-stream; charset=utf-8',
  parts: 'multipart/mixed; boundary="graphql"; subscriptionSpec=1.0',
} as const satisfies Record<ResponseForm, string>;

type OperationKind = 'query' | 'mutation' | 'subscription';
/** What can carry the answer to which kind of operation: one result, or a stream of them. */
const suits = {
  json: ['query', 'mutation'],
  response: ['query', 'mutation'],
  events: ['query', 'mutation', 'subscription'],
  parts: ['subscription'],
} as const satisfies Record<ResponseForm, readonly OperationKind[]>;

/** Characters of an Accept header that are looked at: those of browsers and clients have two hundred. */
const longest = 4096;

/**
 * The forms that an Accept header allows, the best first. Real clients send a few such headers, over and
 * over.
 */
const formsOf = remembering(
  (accept) => {
    const types = new Negotiator({ headers: { accept: withoutDetails(accept) } }).mediaTypes([
      ...formOf.keys(),
    ]);
    return types.map((type) => formOf.get(type)!);
  },
  { texts: 500, longest: 500 },
);

export const acceptedForms = (accept: string | undefined): readonly ResponseForm[] =>
  formsOf(accept === undefined || accept.trim() === '' ? '*/*' : accept.slice(0, longest));

/**
 * Parameters such as a charset or a boundary ask for nothing that is not so anyway; a quality and Apollo's
 * protocol do.
 */
const withoutDetails = (accept: string): string =>
  accept.replace(/;\s*(?!(?:q|subscriptionSpec)\s*=)[^;,="\s]+\s*=\s*(?:"[^"]*"|[^;,\s]*)/gi, '');

/** @throws GraphQLError 406, before anything is done */
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
 * The form of what went wrong before an operation was known. A caller who takes none of these gets plain
 * JSON.
 */
export const formOfProblem = (accepted: readonly ResponseForm[]): 'json' | 'response' =>
  accepted.find((form) => form === 'json' || form === 'response') ?? 'json';
