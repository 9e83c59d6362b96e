import { readdir, readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { isDirect } from '../../http/caller-address.ts';
import { embeddedSettings } from '../../pages/embedded-settings.ts';
import { sendPage, sendPlainPage } from '../../pages/send-page.ts';
import { explorerDist } from './build.ts';
import type { ExplorerSettings } from './settings.ts';

/*
 * Scripts, workers, fonts and requests: our own origin, nothing inline, no eval. Two things had to be
 * loosened for the Monaco editor, which GraphiQL is built on: styles may be inline (it positions each line by
 * a style attribute and writes its colour theme into a style element), and images may be data: URLs (its
 * style sheet draws squiggles with them).
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types: ReadonlyMap<string, string> = new Map(
  Object.entries({
    '.js': 'text/javascript; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.svg': 'image/svg+xml',
    '.ttf': 'font/ttf',
  }),
);

interface BuiltPage {
  readonly html: string;
  /** By name, as Brotli. */
  readonly assets: ReadonlyMap<string, Buffer>;
}

/** What the page is given. */
export interface ExplorerOptions {
  /**
   * Value of the Authorization header that the page signs in with: the demo operator's. Only direct requests
   * get a page with it.
   */
  readonly demoAuthorization?: string | undefined;
  /** Path of the development inbox, if this process has one. The page links to it. */
  readonly inboxPath?: string | undefined;
}

/**
 * Creates the handler of the GraphiQL page, which is sent for GET and HEAD of /graphql to clients that accept
 * HTML, and of its files under /explorer/. The built page is read from the disk on first use and then kept.
 * While there is none, the page is answered with 503; a file that does not exist, with 404; another method
 * for a file, with 405.
 * @returns a handler that resolves to true when it has answered, and to false, with nothing written, when the
 *   request is for neither
 */
export function createExplorer({ demoAuthorization, inboxPath }: ExplorerOptions = {}) {
  const settings: ExplorerSettings = {
    endpoint: '/graphql',
    ...(inboxPath === undefined ? {} : { inbox: inboxPath }),
  };
  const signedIn: ExplorerSettings =
    demoAuthorization === undefined ? settings : { ...settings, authorization: demoAuthorization };
  let built: BuiltPage | undefined;

  return async (req: IncomingMessage, res: ServerResponse, pathname: string): Promise<boolean> => {
    const isRead = req.method === 'GET' || req.method === 'HEAD';
    const isPage = pathname === '/graphql' && isRead && asksForHtml(req);
    if (!isPage && !pathname.startsWith('/explorer/')) return false;
    if (!isRead) {
      sendPlainPage(req, res, 405, 'Method not allowed\n', { allow: 'GET, HEAD' });
      return true;
    }
    built ??= await readBuilt();
    if (isPage) sendExplorer(req, res, built, isDirect(req) ? signedIn : settings);
    else await sendAsset(req, res, built?.assets.get(pathname.slice('/explorer/'.length)), pathname);
    return true;
  };
}

/** A browser's navigation does; a GraphQL client that sends a query by GET does not. */
function asksForHtml({ headers }: IncomingMessage): boolean {
  return /\btext\/html\b/i.test(headers.accept ?? '');
}

function sendExplorer(
  req: IncomingMessage,
  res: ServerResponse,
  built: BuiltPage | undefined,
  settings: ExplorerSettings,
): void {
  if (built === undefined) {
    return sendPlainPage(
      req,
      res,
      503,
      'The explorer has not been built: run "npm ci" (with development packages) or "npm start" once.\n',
    );
  }
  return sendPage(req, res, {
    type: 'text/html; charset=utf-8',
    body: built.html.replace('<!-- settings -->', () => embeddedSettings(settings).text),
    policy,
    headers: { vary: 'accept' },
  });
}

async function sendAsset(
  req: IncomingMessage,
  res: ServerResponse,
  asset: Buffer | undefined,
  pathname: string,
): Promise<void> {
  if (asset === undefined) return sendPlainPage(req, res, 404, 'Not found\n');
  const takesBrotli = /\bbr\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(
    String(req.headers['accept-encoding'] ?? ''),
  );
  return sendPage(req, res, {
    type: types.get(extname(pathname)) ?? 'application/octet-stream',
    body: takesBrotli ? asset : await promisify(brotliDecompress)(asset),
    // A worker is under the policy of its own answer, not of the page that started it.
    policy: "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
    headers: {
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(takesBrotli ? { 'content-encoding': 'br' } : {}),
    },
  });
}

/** Undefined while it is not there: a build may be under way, so the next request looks again. */
async function readBuilt(): Promise<BuiltPage | undefined> {
  try {
    const html = await readFile(join(explorerDist, 'index.html'), 'utf8');
    const assets = new Map<string, Buffer>();
    for (const file of await readdir(join(explorerDist, 'assets'))) {
      assets.set(
        `assets/${file.slice(0, -'.br'.length)}`,
        await readFile(join(explorerDist, 'assets', file)),
      );
    }
    return { html, assets };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
