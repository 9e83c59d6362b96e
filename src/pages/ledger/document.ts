import { htmlDocument } from '../html-document.ts';
import { type Html, html } from '../html-template.ts';

/**
 * The HTML of the ledger page without any mails, which its script loads and shows.
 * @param styleHref URL of the style sheet
 * @param settings the element of `embeddedSettings`, with the demo's credential in development
 * @param links links in the page's header: URL by title
 */
export function ledgerDocument(
  styleHref: string,
  settings: Html,
  links: Readonly<Record<string, string>>,
): string {
  const head = html`<link rel="stylesheet" href="${styleHref}">
${settings}
<script type="module" src="/ledger/assets/ledger.js"></script>`;
  const body = html`<header class="top">
<a class="brand" href="/ledger">Ticketwire <span>ledger</span></a>
<p>What became of each mail.</p>
<nav aria-label="Ticketwire">${Object.entries(links).map(
    ([title, href]) => html`<a href="${href}">${title}</a> `,
  )}<button type="button" class="quiet" id="sign-out" hidden>Sign out</button></nav>
</header>
<main>
<noscript><p class="note">This page needs JavaScript. The command line shows the same list:
<code>ticketwire delivery list</code></p></noscript>
${signIn}
<section id="ledger" aria-labelledby="heading" hidden>
<h1 id="heading" class="sr">Mails</h1>
<div class="bar">
<nav id="groups" aria-label="Which mails"></nav>
<form id="find" role="search"><input type="search" name="reference" placeholder="Ticket: INC-000047"
  aria-label="Mails of one ticket, by its reference" autocomplete="off" maxlength="100"></form>
</div>
<p id="news" role="status"></p>
<div id="mails"></div>
</section>
</main>`;
  return htmlDocument('Mails · Ticketwire ledger', head, body);
}

const signIn = html`<form id="sign-in" hidden>
<h1>Sign in</h1>
<p>Use an operator's account. Making changes requires the scope <code>mail</code>.</p>
<label>Login <input name="login" autocomplete="username" autocapitalize="none" spellcheck="false"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<p class="or">or</p>
<label>Token <input name="token" type="password" autocomplete="off" spellcheck="false"></label>
<p id="refused" role="alert"></p>
<button type="submit">Sign in</button>
</form>`;
