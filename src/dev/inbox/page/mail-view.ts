import { type Html, html } from '../../../pages/html-template.ts';
import type { RecipientKind, RecipientState } from '../../../platform/vocabulary.ts';
import { namedAddress } from '../parse-mail.ts';
import type { InboxRecipient } from '../recipients.ts';
import type { InboxMail } from '../store.ts';
import { timeOf } from './list.ts';

/** Source bytes on the page; the whole source can be downloaded. */
const shownSourceBytes = 256 * 1024;

/**
 * The view of one mail: its headers, its recipients with their states, its files, and tabs with its HTML (in
 * a frame), text, headers and source, of which the first 256 KiB are shown.
 * @param hasRemotePictures whether to say that remote images are not loaded
 */
export function mailView(mail: InboxMail, hasRemotePictures: boolean): Html {
  return html`<article class="mail">
<header>
<a class="back" href="/inbox/">← All mails</a>
<div class="title"><h1>${mail.subject || '(no subject)'}</h1>
<button type="button" class="quiet" data-delete="/inbox/${mail.id}" hidden>Delete</button></div>
<dl>
<dt>From</dt><dd>${personOf(mail.from)}</dd>
<dt>To</dt><dd>${people(mail.to)}</dd>
${mail.cc.length > 0 && html`<dt>Cc</dt><dd>${people(mail.cc)}</dd>`}
${blindRow(blind(mail))}
<dt>Received</dt><dd>${timeOf(mail.receivedAt)}</dd>
</dl>
${recipients(mail)}
${mail.files.length > 0 && attachments(mail)}
</header>
${tabs(mail, hasRemotePictures)}
</article>`;
}

const blindRow = (addresses: readonly string[]): Html | false =>
  addresses.length > 0 &&
  html`<dt>Bcc</dt><dd><span>${people(addresses)}</span>
<span class="hint">not in the headers</span></dd>`;

const blind = ({ recipients }: InboxMail): string[] =>
  recipients.filter(({ kind }) => kind === 'BCC').map(({ address }) => address);

const stateWords = {
  PENDING: 'Not sent yet',
  SENT: 'Accepted',
  DEFERRED: 'Deferred',
  FAILED: 'Failed',
  OUTCOME_UNKNOWN: 'Unknown',
  CANCELLED: 'Cancelled',
} satisfies Record<RecipientState, string>;

const kindWords = { TO: 'To', CC: 'Cc', BCC: 'Bcc' } satisfies Record<RecipientKind, string>;

/** The recipients with their SMTP replies; expanded when one of them was not accepted. */
function recipients({ recipients: all, envelope }: InboxMail): Html {
  const troubled = all.filter(({ state }) => state !== 'SENT').length;
  const summary = `${all.length} ${all.length === 1 ? 'recipient' : 'recipients'}${
    troubled === 0 ? ', all accepted' : `, ${troubled} not accepted`
  }`;
  return html`<details class="recipients"${troubled > 0 && html` open`}><summary>${summary}</summary>
<ul>
<li class="hint">Sent by <code><bdi>${envelope.from || '<>'}</bdi></code></li>
${all.map(recipient)}</ul></details>`;
}

const recipient = ({ kind, address, state, failure, smtpReply }: InboxRecipient): Html =>
  html`<li><span class="kind">${kindWords[kind]}</span>
<span class="address"><bdi>${address}</bdi></span>
<span class="state ${state.toLowerCase()}">${stateWords[state]}</span>${
    failure !== null && html`<span class="why">${failure} <code><bdi>${smtpReply ?? ''}</bdi></code></span>`
  }</li>`;

/** The name is apart, since it may contain characters that turn the direction of the address after it. */
function personOf(person: string): Html {
  const { name, address } = namedAddress(person);
  return name === '' ? html`<bdi>${person || '—'}</bdi>` : html`<bdi>${name}</bdi> &lt;${address}&gt;`;
}

const people = (list: readonly string[]): Html | string =>
  list.length === 0
    ? '—'
    : html`${list.map((person) => html`<span class="person">${personOf(person)}</span>`)}`;

function attachments({ id, files }: InboxMail): Html {
  return html`<ul class="files" aria-label="Attachments">${files.map(
    (file, index) => html`<li><a href="/inbox/${id}/files/${index}" download title="${file.contentType}">
<span class="name"><bdi>${file.fileName}</bdi></span>
<span class="size">${sizeOf(file.content.byteLength)}${file.inline && ', inline'}</span></a></li>`,
  )}</ul>`;
}

/** Tabs without a script: radio buttons, for which the style sheet shows the selected panel. */
function tabs(mail: InboxMail, hasRemotePictures: boolean): Html {
  const panels = [
    mail.html !== undefined && { key: 'html', title: 'HTML', body: htmlPanel(mail.id, hasRemotePictures) },
    mail.text !== undefined && {
      key: 'text',
      title: 'Text',
      body: html`<pre class="text">${mail.text}</pre>`,
    },
    { key: 'headers', title: 'Headers', body: headersPanel(mail) },
    { key: 'source', title: 'Source', body: sourcePanel(mail) },
  ].filter((panel) => panel !== false);
  return html`<div class="tabs">
${panels.map(
  ({ key, title }, index) =>
    html`<input type="radio" name="panel" id="tab-${key}"${
      index === 0 && html` checked`
    }><label for="tab-${key}">${title}</label>`,
)}
${panels.map(({ key, body }) => html`<section class="panel" id="panel-${key}">${body}</section>`)}
</div>`;
}

function htmlPanel(id: number, hasRemotePictures: boolean): Html {
  return html`${hasRemotePictures && html`<p class="notice">Remote images are not loaded.</p>`}
<iframe src="/inbox/${id}/html" title="The mail as HTML" referrerpolicy="no-referrer"
sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>`;
}

function headersPanel({ headers }: InboxMail): Html {
  return html`<table><tbody>${headers.map(
    ({ name, value }) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table>`;
}

function sourcePanel({ id, source, byteSize }: InboxMail): Html {
  const shown = source.subarray(0, shownSourceBytes);
  return html`<p class="notice"><a href="/inbox/${id}/source" download>Download as .eml</a>
${sizeOf(byteSize)}${
  shown.byteLength < byteSize && html`; the first ${sizeOf(shown.byteLength)} are shown`
}</p><pre>${shown.toString('utf8')}</pre>`;
}

/** A number of bytes for people: `512 bytes`, `12.1 KiB`, `3.0 MiB`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
