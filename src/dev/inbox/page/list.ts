import { type Html, html } from '../../../pages/html-template.ts';
import { namedAddress } from '../parse-mail.ts';
import type { InboxEntry, InboxPage } from '../store.ts';
import { olderThan } from './mails-as-json.ts';

/**
 * A `time` element with the instant in UTC, to the minute. The page's script replaces it by the local time.
 */
export const timeOf = (instant: Date): Html =>
  html`<time datetime="${instant.toISOString()}">${instant
    .toISOString()
    .slice(0, 16)
    .replace('T', ' ')} UTC</time>`;

/** `Jane Doe <jane@example.org>` is shown as `Jane Doe`. */
const nameOf = (person: string): Html => html`<bdi>${namedAddress(person).name || person || '—'}</bdi>`;

function namesOf(people: readonly string[]): Html {
  const names = people.slice(0, 3).map((person, index) => html`${index > 0 && ', '}${nameOf(person)}`);
  if (people.length === 0) return html`—`;
  return html`${names}${people.length > 3 && ` and ${people.length - 3} more`}`;
}

/** How the list is shown. */
export interface ListView {
  /** Id of the open mail, which is marked; undefined: none is open. */
  readonly current: number | undefined;
  /** Whether it is the first page, with the newest mails. */
  readonly isFirst: boolean;
  /** The text that was searched for; empty if none. */
  readonly search: string;
}

/**
 * The list beside the mail (on a phone, a page before it), with the number of unread mails and links to newer
 * and older ones. The page's script polls it for new mails.
 */
export function inboxList({ mails, hasMore, unread }: InboxPage, view: ListView): Html {
  const { current, isFirst, search } = view;
  const home = search === '' ? '/inbox/' : `/inbox/?q=${encodeURIComponent(search)}`;
  const suffix = search === '' ? '' : `?q=${encodeURIComponent(search)}`;
  const count = html`<span class="sr" id="unread" data-unread="${unread}">${unread} unread</span>`;
  if (mails.length === 0) return html`${count}${nothing(isFirst, search)}`;
  return html`${count}${!isFirst && html`<a class="more" href="${home}">↑ Newest mails</a>`}
<ol>${mails.map((mail) => row(mail, mail.id === current, suffix))}</ol>
${hasMore && html`<a class="more" href="${olderThan(mails.at(-1)!.id, search)}">Older mails ↓</a>`}`;
}

const nothing = (isFirst: boolean, search: string): Html =>
  search === ''
    ? html`<p class="empty">${
        isFirst ? 'No mail yet.' : 'No older mail.'
      } New mail from the gateway appears here automatically.</p>`
    : html`<p class="empty">No mail contains “<bdi>${search}</bdi>”. <a href="/inbox/">All mails</a></p>`;

function row(mail: InboxEntry, isCurrent: boolean, suffix: string): Html {
  const { id, from, to, cc, subject, snippet, receivedAt, attachments, isUnread } = mail;
  const copies = cc.length > 0 && html` · Cc ${namesOf(cc)}`;
  const files = `${attachments} ${attachments === 1 ? 'attachment' : 'attachments'}`;
  const current = isCurrent && html` aria-current="page"`;
  const dot = isUnread && html`<span class="dot" title="Unread"></span>`;
  return html`<li data-id="${id}">
<a class="entry${isUnread && ' unread'}" href="/inbox/${id}${suffix}"${current}>
<span class="line"><span class="to">${dot}To <b>${namesOf(to)}</b></span>${timeOf(receivedAt)}</span>
<span class="subject">${subject || '(no subject)'}</span>
${snippet !== '' && html`<span class="snippet">${snippet}</span>`}
<span class="line"><span class="from">From ${nameOf(from)}${copies}</span>${
    attachments > 0 && html`<span class="clip" title="${files}">${clip} ${attachments}</span>`
  }</span>
</a></li>`;
}

const clip = html`<svg viewBox="0 0 16 16" width="13" height="13" fill="none" stroke="currentColor"
stroke-width="1.5" stroke-linecap="round" aria-hidden="true"><path
d="m13.4 7.3-5.6 5.6a3.4 3.4 0 0 1-4.8-4.8l6-6a2.3 2.3 0 0 1 3.2 3.2l-5.7 5.7a1.1 1.1 0 0 1-1.6-1.6l5.2-5.2"
/></svg>`;
