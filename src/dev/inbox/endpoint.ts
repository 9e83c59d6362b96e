import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Db } from '../../db/database.ts';
import { isDirect } from '../../http/caller-address.ts';
import { type Html, html } from '../../pages/html-template.ts';
import { type PageResponse, sendPage, sendPlainPage } from '../../pages/send-page.ts';
import { BadCredential } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import { inboxFrame, inboxPolicy, noteMain, readInboxAssets } from './page/frame.ts';
import { json, wantsJson } from './page/json-response.ts';
import { answerInbox } from './page/routes.ts';

/** What the inbox page needs. */
export interface InboxPageOptions {
  readonly db: Db;
  /**
   * Signs the user in by the Authorization header. `direct` tells whether the request comes from this
   * machine.
   * @returns undefined without a credential
   * @throws BadCredential
   */
  readonly authenticate: (
    authorization: string | undefined,
    remoteAddress: string,
    direct: () => boolean,
  ) => Promise<Viewer | undefined>;
  /** Client address of a request; by default that of the socket. */
  readonly addressOf?: (req: IncomingMessage) => string;
}

/**
 * Creates the handler of the development inbox's web page, for operators with the scope read. Its path is
 * /inbox/ with the slash, so that a browser sends the Basic credential to the inbox only. GET and HEAD show
 * mails. DELETE removes them, with the scope write and not from another site. Only the page's own scripts and
 * styles are sent without signing in.
 * @returns a handler that answers every request it is given: 401 to whoever is not signed in, 429 when there
 *   were too many attempts, 403 to whoever may not do this, 405 to other methods. Programs that accept JSON
 *   are told why as `{"message": …}`. It takes the URL's path.
 */
export function createInboxPage({
  db,
  authenticate,
  addressOf = (req) => req.socket.remoteAddress ?? '',
}: InboxPageOptions) {
  const assets = readInboxAssets();

  return async (req: IncomingMessage, res: ServerResponse, path: string): Promise<void> => {
    const { authorization } = req.headers;
    const route = path.replace(/^\/inbox\/?/, '');
    if (!['GET', 'HEAD', 'DELETE'].includes(req.method ?? '')) {
      return sendPlainPage(req, res, 405, 'Method not allowed\n', { allow: 'GET, HEAD, DELETE' });
    }
    const asset = Object.entries(assets).find(([name]) => route === `assets/${name}`)?.[1];
    if (asset !== undefined) {
      return sendPage(req, res, {
        ...asset,
        headers: { 'cache-control': 'public, max-age=31536000, immutable' },
      });
    }
    if (path === '/inbox' && authorization === undefined) return redirect(req, res, '/inbox/');
    const viewer = await authenticate(authorization, addressOf(req), () => isDirect(req)).catch(
      badCredential,
    );
    if (viewer === undefined || viewer instanceof BadCredential) return challenge(req, res, viewer);
    const isReader = viewer.role === 'OPERATOR' && viewer.scopes.has('read');
    // A browser keeps sending an accepted password; this path prompts for another one.
    if (route === 'sign-in') return isReader ? redirect(req, res, '/inbox/') : challenge(req, res, undefined);
    const refusal = whyForbidden(req, viewer);
    return refusal === undefined ? answerInbox(req, res, { db, assets, route }) : forbid(req, res, refusal);
  };

  function challenge(req: IncomingMessage, res: ServerResponse, problem: BadCredential | undefined): void {
    const wait = problem?.retryAfterSeconds;
    sendPage(req, res, {
      ...note(req, 'Sign in', problem?.message ?? 'The inbox is for operators.', tryAgain),
      status: wait === undefined ? 401 : 429,
      // A throttled client must wait: prompting for another password would not help.
      headers:
        wait === undefined
          ? { 'www-authenticate': 'Basic realm="Ticketwire inbox", charset="UTF-8"' }
          : { 'retry-after': String(wait) },
    });
  }

  function forbid(req: IncomingMessage, res: ServerResponse, refusal: string): void {
    sendPage(req, res, { ...note(req, 'Access denied', refusal, signInAgain), status: 403 });
  }

  function note(req: IncomingMessage, title: string, message: string, link: Html): PageResponse {
    if (wantsJson(req)) return json({ message });
    const main = noteMain(title, html`${message} ${link}`);
    const body = inboxFrame(assets, `${title} · Ticketwire inbox`, main);
    return { type: 'text/html; charset=utf-8', policy: inboxPolicy, body };
  }
}

const tryAgain = html`<a href="/inbox/">Try again</a>`;
const signInAgain = html`<a href="/inbox/sign-in">Sign in as another user</a>`;

/** Why the viewer may not do what the request asks for; undefined if they may. */
function whyForbidden(req: IncomingMessage, { role, scopes }: Viewer): string | undefined {
  if (role !== 'OPERATOR') return 'Only operators may read the inbox.';
  if (!scopes.has('read')) return 'You cannot read mails: your credential does not have the scope read.';
  if (req.method !== 'DELETE') return undefined;
  if (!scopes.has('write')) return 'You cannot delete mails: your credential does not have the scope write.';
  return isFromElsewhere(req) ? 'A page of another site may not delete mails.' : undefined;
}

/** Cross-site requests carry the operator's credential too, and must not delete anything. */
const isFromElsewhere = (req: IncomingMessage): boolean =>
  !['same-origin', 'none', undefined].includes(req.headers['sec-fetch-site'] as string | undefined);

function redirect(req: IncomingMessage, res: ServerResponse, location: string): void {
  sendPlainPage(req, res, 302, `See ${location}\n`, { location });
}

function badCredential(error: unknown): BadCredential {
  if (error instanceof BadCredential) return error;
  throw error;
}
