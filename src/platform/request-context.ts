import type { Receive } from './incoming-file.ts';
import type { Logger } from './log.ts';
import type { Noted } from './request-notes.ts';

export const roles = ['OPERATOR', 'REQUESTER'] as const;
export type Role = (typeof roles)[number];

export const scopes = ['read', 'write', 'mail', 'admin'] as const;
export type Scope = (typeof scopes)[number];

/** Whoever is asking, this time. */
export interface Viewer {
  readonly userId: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  /** What the credential in use allows; a password allows everything that its user may do. */
  readonly scopes: ReadonlySet<Scope>;
}

/** What every floor may know of one request. */
export interface RequestContext {
  readonly requestId: string;
  /** `undefined`: no credential was offered. */
  readonly viewer: Viewer | undefined;
  /**
   * Who the same credential makes the caller now, for what lasts longer than a request. @throws BadCredential
   */
  readonly signInAgain: () => Promise<Viewer | undefined>;
  /** From the `Idempotency-Key` header. */
  readonly idempotencyKey: string | undefined;
  /**
   * What our addresses begin with, without a trailing slash: `http://localhost:4000`, or nothing when they
   * are to be relative.
   */
  readonly origin: string;
  readonly now: () => Date;
  readonly log: Logger;
  /** For the request's line in the log, and its metrics. */
  readonly noted: Noted;
  /** Takes the request's files into the blob store. */
  readonly receive: Receive;
  /** Aborted when the caller went away. */
  readonly whenAway: () => AbortSignal;
}
