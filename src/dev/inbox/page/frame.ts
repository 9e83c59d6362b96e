import { htmlDocument } from '../../../pages/html-document.ts';
import { type Html, html } from '../../../pages/html-template.ts';
import { readAsset, themeFile } from '../../../pages/read-asset.ts';
import { faultDomain } from '../smtp/fault-addresses.ts';

/**
 * The page's Content-Security-Policy: scripts, styles and images of the same origin only. The frame with a
 * mail has a stricter policy.
 */
export const inboxPolicy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "frame-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const here = (file: string) => new URL(file, import.meta.url);
const pathOf = (file: string) => `/inbox/assets/${file}`;

/** The files that the page loads (style sheet, script and icon), by name. */
export type InboxAssets = ReturnType<typeof readInboxAssets>;
/** Reads the files that the page loads, synchronously. @throws Error when one is missing */
export const readInboxAssets = () => ({
  'inbox.css': readAsset(pathOf('inbox.css'), 'text/css; charset=utf-8', themeFile, here('inbox.css')),
  'inbox.js': readAsset(pathOf('inbox.js'), 'text/javascript; charset=utf-8', here('inbox.js')),
  'inbox.svg': readAsset(pathOf('inbox.svg'), 'image/svg+xml', here('inbox.svg')),
});

/** The whole page, as HTML text: the head with the page's files, the bar at the top, and this main part. */
export function inboxFrame(assets: InboxAssets, title: string, main: Html): string {
  const head = html`<link rel="icon" href="${assets['inbox.svg'].href}" type="image/svg+xml">
<link rel="stylesheet" href="${assets['inbox.css'].href}">
<script src="${assets['inbox.js'].href}" defer></script>`;
  const body = html`<header class="top">
<a class="brand" href="/inbox/">
<img src="${assets['inbox.svg'].href}" alt="" width="24" height="24">
Ticketwire <span>inbox</span> <b id="count" title="Unread"></b>
</a>
<p>Mails end here: nothing leaves this machine.</p>
<nav aria-label="Ticketwire"><a href="/ledger">Ledger</a> <a href="/graphql">GraphiQL</a></nav>
</header>
${main}`;
  return htmlDocument(title, head, body);
}

/**
 * The main part: the list beside the mail; on a phone one of them.
 * @param mail the open mail; undefined: a guide to the fault addresses takes its place
 * @param view `isFirst`: whether the list has the newest mails, so that the page's script keeps it up to
 *   date; `search`: the text that was searched for, empty if none
 */
export const inboxMain = (
  list: Html,
  mail: Html | undefined,
  { isFirst, search }: { readonly isFirst: boolean; readonly search: string },
): Html => html`<main class="${mail === undefined ? 'list-only' : 'with-mail'}">
<div class="side">
${mail === undefined && html`<h1 class="sr">Inbox</h1>`}
<form class="search" action="/inbox/" role="search">
<input type="search" name="q" value="${search}" placeholder="Search"
  aria-label="Search addresses, subjects and texts" autocomplete="off" maxlength="200">
<button type="button" class="quiet" data-delete="/inbox/${
  search !== '' && `?q=${encodeURIComponent(search)}`
}" hidden>${search === '' ? 'Delete all' : 'Delete found'}</button>
</form>
<nav id="mails" class="mails" aria-label="Mails" data-search="${search}"${
  isFirst && html` data-live`
}>${list}</nav>
</div>
<p id="news" class="sr" role="status"></p>
${mail ?? guide}
</main>`;

/** The main part of a page with a short message instead of the list. */
export const noteMain = (title: string, text: Html): Html =>
  html`<main class="note"><h1>${title}</h1><p>${text}</p></main>`;

const guide = html`<section class="guide">
<h2>Choose a mail</h2>
<p>The gateway sends all mail to this SMTP server. To see a delivery fail, send to one of these addresses
at <code>${faultDomain}</code>:</p>
<table>
<tbody>
<tr><th scope="row">bounce@</th><td>550, a permanent failure;
<code>full@</code> and <code>disabled@</code> likewise</td></tr>
<tr><th scope="row">defer-2@</th><td>451 twice, then accepted</td></tr>
<tr><th scope="row">greylist@</th><td>451 at first, accepted after 5 seconds</td></tr>
<tr><th scope="row">busy@</th><td>421, then the connection is closed</td></tr>
<tr><th scope="row">slow-30@</th><td>answers after 30 seconds</td></tr>
<tr><th scope="row">reject-data@</th><td>554 after the whole mail; <code>defer-data@</code>: 451</td></tr>
<tr><th scope="row">drop-in-data@</th><td>the connection is closed before the body</td></tr>
<tr><th scope="row">drop-after-data@</th><td>the mail is stored, then the connection is closed</td></tr>
<tr><th scope="row">hang@</th><td>no reply to the final dot</td></tr>
</tbody>
</table>
<p><code>+anything</code> may follow each local part.</p>
</section>`;
