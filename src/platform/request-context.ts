import type { Receive } from './incoming-file.ts';
import type { Logger } from './log.ts';
import type { RequestNotes } from './request-notes.ts';

/** All roles of users: operators work on tickets, requesters have tickets. */
export const roles = ['OPERATOR', 'REQUESTER'] as const;
/** A user's role. */
export type Role = (typeof roles)[number];

/** All scopes of credentials. */
export const scopes = ['read', 'write', 'mail', 'admin'] as const;
/** A permission of a credential. */
export type Scope = (typeof scopes)[number];

/** The user who makes a request, with the scopes of the credential in use. */
export interface Viewer {
  readonly userId: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  /** The credential's scopes; a password has every scope of its user. */
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * Finds out whose credential a request has. Returns the viewer itself, not a promise, while the credential is
 * cached, because each watcher signs in again at each event.
 * @returns undefined when no credential was offered
 * @throws BadCredential (401, or 429 when it says how long to wait) or Unavailable (503: too many sign-ins at
 *   a time, no database, no keys for JWTs); the promise rejects with these too
 */
export type Authenticate = () => Viewer | undefined | Promise<Viewer | undefined>;

/** A request's context, for every layer. */
export interface RequestContext {
  /** Appears in the response and in log lines. */
  readonly requestId: string;
  /** `undefined`: no credential was offered. */
  readonly viewer: Viewer | undefined;
  /** Authenticates the same credential again, for a response that outlives its request. */
  readonly signInAgain: Authenticate;
  /** From the `Idempotency-Key` header; undefined without one. */
  readonly idempotencyKey: string | undefined;
  /**
   * Prefix of the gateway's URLs, without a trailing slash: `http://localhost:4000`, or empty for relative
   * URLs.
   */
  readonly origin: string;
  /** Whether pages of an origin are the gateway's own: it was reached by it, or it is that of PUBLIC_URL. */
  readonly isOwnOrigin: (origin: string) => boolean;
  /** The time by the database's clock. */
  readonly now: () => Date;
  readonly log: Logger;
  /** For the request's log line and metrics. */
  readonly notes: RequestNotes;
  /** Streams the request's files into the blob store. */
  readonly receive: Receive;
}
