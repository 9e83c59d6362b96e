// @ts-check
/* Signs in, shows the ledger, and reads it again while the page is visible. */

import { change, findTicket, NotSignedIn, readLedger, readViewer, signInWith } from './api.js';
import { element } from './cards.js';
import { groupLink, sectionOf } from './sections.js';
import { groups } from './states.js';

const refreshMs = 5000;
const pageSize = 20;

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const settings = JSON.parse(byId('settings').textContent ?? '{}');

const view = {
  open: Object.hasOwn(groups, location.hash.slice(1)) ? location.hash.slice(1) : 'attention',
  /** @type {string | null} */
  ticket: null,
  /** Cursors of sections whose older mails are shown. @type {Record<string, string | undefined>} */
  before: {},
  canMail: false,
  isSignedIn: false,
  lastText: '',
  /** Counts what was asked, so that an answer that a later one has overtaken is not shown. */
  asked: 0,
  /** Why the ledger could not be read, if it is the last that was told. */
  trouble: '',
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
      last: name === view.open ? pageSize : 0,
      before: view.before[key],
    })),
  );

/** Reads and shows the ledger again. Tells what went wrong, until it goes well. */
async function refresh() {
  if (!view.isSignedIn) return;
  view.asked += 1;
  const asked = view.asked;
  try {
    const data = await readLedger(wantedSections(), view.ticket);
    if (asked !== view.asked) return;
    if (view.trouble !== '' && view.trouble === byId('news').textContent) tell('');
    view.trouble = '';
    showNews(data);
  } catch (error) {
    if (asked !== view.asked) return;
    if (!(error instanceof NotSignedIn)) view.trouble = textOf(error);
    throw error;
  }
}

/** @param {Record<string, any>} data */
function showNews(data) {
  const text = JSON.stringify([view.open, view.before, data]);
  // Not while a button waits for its second press: it would be replaced.
  if (text === view.lastText || document.querySelector('.sure:enabled') !== null) return;
  view.lastText = text;
  show(data);
}

/** Shows another part of the ledger. @param {Partial<typeof view>} part */
function turnTo(part) {
  Object.assign(view, { before: {} }, part);
  return attempt(refresh);
}

/** @param {Record<string, any>} data */
function show(data) {
  const focused = placeOf(document.activeElement);
  byId('groups').replaceChildren(
    ...Object.keys(groups).map((name) => groupLink(name, name === view.open, data)),
  );
  const { sections, nothing } = /** @type {any} */ (groups[view.open]);
  const filled = sections.filter(({ key }) => data[key].nodes.length > 0 || view.before[key] !== undefined);
  byId('mails').replaceChildren(
    ...(filled.length === 0
      ? [element('p', { class: 'note' }, view.ticket === null ? nothing : 'No such mail of this ticket.')]
      : filled.map((/** @type {any} */ section) =>
          sectionOf(section, data[section.key], choicesOf(section.key)),
        )),
  );
  if (focused !== undefined) document.querySelector(focused)?.focus({ preventScroll: true });
}

/** What can be done in a section. @param {string} key */
const choicesOf = (key) => ({
  isNewest: view.before[key] === undefined,
  act: view.canMail ? act : undefined,
  /** Goes on at the section's beginning. @param {string | undefined} before */
  async turn(before) {
    await turnTo({ before: { ...view.before, [key]: before } });
    document.getElementById(`of-${key}`)?.focus();
  },
});

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

/** @param {import('./states.js').Action} action @param {string} delivery */
async function act(action, delivery) {
  await attempt(async () => tell((await change(action, delivery)) ?? action.done));
  view.lastText = '';
  await attempt(refresh);
}

/** @param {unknown} error */
const textOf = (error) => (error instanceof Error ? error.message : String(error));

/** Runs an action and shows what went wrong. @param {() => Promise<void>} what */
async function attempt(what) {
  try {
    await what();
  } catch (error) {
    if (error instanceof NotSignedIn || !view.isSignedIn) signOut(textOf(error));
    else tell(textOf(error));
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
  // What is still on its way is not shown any more.
  view.asked += 1;
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
    tell(found === null ? '' : `Mails of ${reference}.`);
    await turnTo({ ticket: found });
  });
});
addEventListener('hashchange', () => {
  const name = location.hash.slice(1);
  turnTo(Object.hasOwn(groups, name) ? { open: name } : {});
});
setInterval(() => !document.hidden && attempt(refresh), refreshMs);
document.addEventListener('visibilitychange', () => !document.hidden && attempt(refresh));

if (settings.authorization === undefined) signOut('');
else attempt(() => signIn(settings.authorization));
