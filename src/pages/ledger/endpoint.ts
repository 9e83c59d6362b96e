import type { IncomingMessage, ServerResponse } from 'node:http';
import { isDirect } from '../../http/caller-address.ts';
import { embeddedSettings } from '../embedded-settings.ts';
import { type PageAsset, readAsset, themeFile } from '../read-asset.ts';
import { sendPage, sendPlainPage } from '../send-page.ts';
import { ledgerDocument } from './document.ts';

/** Scripts, styles and requests of our own origin, and nothing inline. */
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Options of the ledger page. */
export interface LedgerPageOptions {
  /**
   * Authorization header of the demo's operator, with which the page signs in. It is embedded only in
   * responses to requests that did not come through a proxy.
   */
  readonly demoAuthorization?: string | undefined;
  /** Links in the page's header: URL by title. */
  readonly links: Readonly<Record<string, string>>;
}

const script = 'text/javascript; charset=utf-8';
const here = (file: string) => new URL(file, import.meta.url);
const pathOf = (file: string) => `/ledger/assets/${file}`;

function readAssets(): ReadonlyMap<string, PageAsset> {
  const style = readAsset(pathOf('ledger.css'), 'text/css; charset=utf-8', themeFile, here('ledger.css'));
  const scripts = ['ledger.js', 'api.js', 'sections.js', 'cards.js', 'states.js'].map((file) =>
    readAsset(pathOf(file), script, here(file)),
  );
  return new Map([style, ...scripts].map((asset) => [asset.href.split('?')[0]!, asset]));
}

/**
 * Creates the handler of the ledger page, where operators see what became of each mail. The page is static:
 * it queries /graphql with the credential that its reader enters.
 * @returns a function that answers a request: `/ledger` with the page, `/ledger/assets/…` with its scripts
 *   and styles, any other path with 404, and methods other than GET and HEAD with 405. `path` is without the
 *   query
 * @throws Error when a script or the style sheet cannot be read, which happens here and not per request
 */
export function createLedgerPage({ demoAuthorization, links }: LedgerPageOptions) {
  const assets = readAssets();
  const page = (settings: object) =>
    ledgerDocument(assets.get(pathOf('ledger.css'))!.href, embeddedSettings(settings), links);
  const signedOut = page({});
  const signedIn = page({ authorization: demoAuthorization });

  return (req: IncomingMessage, res: ServerResponse, path: string): void => {
    if (req.method !== 'GET' && req.method !== 'HEAD')
      return sendPlainPage(req, res, 405, 'Method not allowed\n', { allow: 'GET, HEAD' });
    // The scripts name each other without a version, so they are not cached.
    const asset = assets.get(path);
    if (asset !== undefined) return sendPage(req, res, { type: asset.type, body: asset.body });
    if (path !== '/ledger' && path !== '/ledger/') return sendPlainPage(req, res, 404, 'Not found\n');
    const body = isDirect(req) ? signedIn : signedOut;
    return sendPage(req, res, { type: 'text/html; charset=utf-8', body, policy });
  };
}
