// @ts-check
/* Signs in, reads the ledger and shows it; reads it again while the page is visible. */

import { change, findTicket, NotSignedIn, readLedger, readViewer, signInWith } from './api.js';
import { element, mailCard } from './cards.js';
import { groups } from './states.js';

const refreshMs = 5000;
const pageSize = 20;
const longestPage = 100;

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const settings = JSON.parse(byId('settings').textContent ?? '{}');

const view = {
  open: Object.hasOwn(groups, location.hash.slice(1)) ? location.hash.slice(1) : 'attention',
  /** @type {string | null} */
  ticket: null,
  /** @type {Record<string, number>} */
  shown: {},
  canMail: false,
  isSignedIn: false,
  lastText: '',
};

/** @param {string} text */
const tell = (text) => {
  byId('news').textContent = text;
};

/** Every section: those of the open group with their mails, the others for their numbers. */
const wantedSections = () =>
  Object.entries(groups).flatMap(([name, { sections }]) =>
    sections.map(({ key, filter }) => ({
      key,
      filter,
      first: name === view.open ? (view.shown[key] ?? pageSize) : 0,
    })),
  );

async function refresh() {
  if (!view.isSignedIn) return;
  const data = await readLedger(wantedSections(), view.ticket);
  const text = JSON.stringify([view.open, data]);
  // Not while a button waits for its second press: it would be replaced.
  if (text === view.lastText || document.querySelector('.sure') !== null) return;
  view.lastText = text;
  show(data);
}

/** @param {Record<string, any>} data */
function show(data) {
  const focused = placeOf(document.activeElement);
  byId('groups').replaceChildren(...Object.keys(groups).map((name) => groupLink(name, data)));
  const { sections, nothing } = /** @type {any} */ (groups[view.open]);
  const filled = sections.filter(({ key }) => data[key].nodes.length > 0);
  byId('mails').replaceChildren(
    ...(filled.length === 0
      ? [element('p', { class: 'note' }, view.ticket === null ? nothing : 'No such mail of this ticket.')]
      : filled.map((/** @type {any} */ section) => sectionOf(section, data[section.key]))),
  );
  if (focused !== undefined) document.querySelector(focused)?.focus({ preventScroll: true });
}

/**
 * A selector of the focused element, to focus it again after the page was filled.
 * @param {Element | null} active
 */
function placeOf(active) {
  const card = active?.closest('[data-id]')?.getAttribute('data-id');
  const name = active?.closest('[data-group]')?.getAttribute('data-group');
  if (card) return `[data-id="${CSS.escape(card)}"] button`;
  return name ? `[data-group="${name}"]` : undefined;
}

/** @param {string} name @param {Record<string, any>} data */
function groupLink(name, data) {
  const { title, sections } = /** @type {any} */ (groups[name]);
  const counts = sections.map((/** @type {any} */ { key }) => data[key].totalCount);
  const count = counts.includes(null)
    ? 'many'
    : counts.reduce((/** @type {number} */ a, /** @type {number} */ b) => a + b, 0);
  const current = name === view.open ? { 'aria-current': 'page' } : {};
  return element(
    'a',
    { href: `#${name}`, 'data-group': name, ...current },
    title,
    ' ',
    element('b', name === 'attention' && count !== 0 ? { class: 'alarm' } : {}, String(count)),
  );
}

/** @param {any} section @param {any} page */
function sectionOf({ key, title, about }, { nodes, pageInfo }) {
  const cards = nodes.map((/** @type {any} */ mail) =>
    mailCard(mail, view.canMail, (action) => act(action, mail.id)),
  );
  const more = element('button', { type: 'button', class: 'more' }, 'Show more');
  more.addEventListener('click', () => {
    view.shown[key] = Math.min(longestPage, nodes.length + pageSize);
    attempt(refresh);
  });
  const isMore = pageInfo.hasNextPage && nodes.length < longestPage;
  return element(
    'section',
    {},
    element('h2', {}, title),
    element('p', { class: 'about' }, about),
    ...cards,
    isMore && more,
  );
}

/** @param {import('./states.js').Action} action @param {string} delivery */
async function act(action, delivery) {
  await attempt(async () => {
    const refusal = await change(action, delivery);
    tell(refusal ?? action.done);
    for (const button of document.querySelectorAll('.sure')) button.classList.remove('sure');
    view.lastText = '';
    await refresh();
  });
}

/** Runs an action and shows what went wrong. @param {() => Promise<void>} what */
async function attempt(what) {
  try {
    await what();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof NotSignedIn || !view.isSignedIn) signOut(why);
    else tell(why);
  }
}

/** @param {string} authorization */
async function signIn(authorization) {
  signInWith(authorization);
  const { role, canMail } = await readViewer();
  if (role !== 'OPERATOR') throw new NotSignedIn('The ledger is for operators.');
  Object.assign(view, { canMail, isSignedIn: true, lastText: '' });
  byId('sign-in').hidden = true;
  byId('ledger').hidden = byId('sign-out').hidden = false;
  tell(canMail ? '' : 'You can read but not change anything: your credential does not have the scope mail.');
  await refresh();
}

/** @param {string} why */
function signOut(why) {
  view.isSignedIn = false;
  signInWith('');
  byId('mails').replaceChildren();
  byId('ledger').hidden = byId('sign-out').hidden = true;
  byId('sign-in').hidden = false;
  byId('refused').textContent = why;
}

byId('sign-out').addEventListener('click', () => signOut(''));
byId('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  const given = new FormData(/** @type {HTMLFormElement} */ (event.target));
  const [login, password, token] = ['login', 'password', 'token'].map((name) =>
    String(given.get(name) ?? ''),
  );
  const bytes = new TextEncoder().encode(`${login}:${password}`);
  const basic = btoa(String.fromCharCode(...bytes));
  attempt(() => signIn(token ? `Bearer ${token.trim()}` : `Basic ${basic}`));
});
byId('find').addEventListener('submit', (event) => {
  event.preventDefault();
  const reference = String(
    new FormData(/** @type {HTMLFormElement} */ (event.target)).get('reference'),
  ).trim();
  attempt(async () => {
    const found = reference === '' ? null : await findTicket(reference);
    if (found === undefined) return tell(`There is no ticket ${reference}.`);
    view.ticket = found;
    tell(found === null ? '' : `Mails of ${reference}.`);
    await refresh();
  });
});
addEventListener('hashchange', () => {
  const name = location.hash.slice(1);
  if (Object.hasOwn(groups, name)) view.open = name;
  attempt(refresh);
});
setInterval(() => !document.hidden && attempt(refresh), refreshMs);
document.addEventListener('visibilitychange', () => !document.hidden && attempt(refresh));

if (settings.authorization === undefined) signOut('');
else attempt(() => signIn(settings.authorization));
