// @ts-check
/* Enhances the page: local times, new mails without a reload, and the keys j and k. */

const pollMs = 3000;
const list = document.getElementById('mails');
const news = document.getElementById('news');
const title = document.title;

/** @param {ParentNode} root */
function localise(root) {
  const today = new Date().toDateString();
  for (const time of root.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    const inList = time.closest('#mails') !== null;
    time.title = at.toLocaleString();
    if (!inList) time.textContent = at.toLocaleString(undefined, { dateStyle: 'full', timeStyle: 'medium' });
    else if (at.toDateString() === today) {
      time.textContent = at.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
    } else time.textContent = at.toLocaleDateString(undefined, { day: 'numeric', month: 'short' });
  }
}

/** @param {ParentNode} root */
const idsOf = (root) =>
  new Set([...root.querySelectorAll('li[data-id]')].map((item) => item.getAttribute('data-id')));

let lastText = '';

/** Replaces the list when it has changed, and keeps the scroll position and the focus. */
async function refresh() {
  if (list === null || news === null || document.hidden) return;
  const current = list.querySelector('[aria-current]')?.closest('li')?.dataset.id ?? '';
  const asked = new URLSearchParams({ current, q: list.dataset.search ?? '' });
  // From the origin: the page's own address may hold a password, with which fetch refuses it.
  const response = await fetch(new URL(`/inbox/list?${asked}`, location.origin));
  const text = await response.text();
  if (!response.ok || text === lastText) return;
  const isFirst = lastText === '';
  lastText = text;
  const known = idsOf(list);
  const fresh = new DOMParser().parseFromString(text, 'text/html').body;
  const arrived = [...fresh.querySelectorAll('li[data-id]')].filter(
    (item) => !known.has(item.getAttribute('data-id')),
  );
  if (isFirst && arrived.length === 0) return;
  const focused = document.activeElement instanceof HTMLAnchorElement ? document.activeElement.pathname : '';
  const top = list.scrollTop;
  for (const item of arrived) item.classList.add('arrived');
  localise(fresh);
  tellUnread(fresh);
  list.replaceChildren(...fresh.childNodes);
  list.scrollTop = top;
  const link = [...list.querySelectorAll('a')].find(
    (anchor) => focused !== '' && anchor.pathname === focused,
  );
  link?.focus({ preventScroll: true });
  if (arrived.length > 0) {
    news.textContent = `${arrived.length} new ${arrived.length === 1 ? 'mail' : 'mails'}`;
    if (!document.hasFocus()) document.title = `● ${title}`;
  }
}

/** @param {ParentNode} root */
function tellUnread(root) {
  const unread = root.querySelector('#unread')?.getAttribute('data-unread') ?? '0';
  const place = document.getElementById('count');
  if (place !== null) place.textContent = unread === '0' ? '' : unread;
}

/**
 * Deleting cannot be undone, so it takes a second press within a few seconds.
 * @param {HTMLButtonElement} button
 */
function confirmDelete(button) {
  const words = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    if (button.dataset.sure === undefined) {
      button.dataset.sure = '';
      button.textContent = 'Sure?';
      setTimeout(() => {
        delete button.dataset.sure;
        if (button.textContent === 'Sure?') button.textContent = words;
      }, 4000);
      return;
    }
    button.disabled = true;
    const why = await whyNotDeleted(button.dataset.delete ?? '');
    if (why === undefined) return location.assign('/inbox/');
    button.disabled = false;
    delete button.dataset.sure;
    button.textContent = `Not deleted: ${why}`;
  });
}

/**
 * Deletes a mail. One that is gone already is deleted.
 * @param {string} path
 */
async function whyNotDeleted(path) {
  try {
    const headers = { accept: 'application/json' };
    const response = await fetch(new URL(path, location.origin), { method: 'DELETE', headers });
    if (response.ok || response.status === 404) return undefined;
    return /** @type {{ message: string }} */ (await response.json()).message;
  } catch {
    return 'the gateway does not answer';
  }
}

/** @param {1 | -1} step */
function go(step) {
  const links = [...document.querySelectorAll('#mails .entry')];
  const at = links.findIndex((link) => link.getAttribute('aria-current') === 'page');
  const next = links[at < 0 ? 0 : at + step];
  if (next instanceof HTMLAnchorElement) next.click();
}

localise(document);
tellUnread(document);
for (const button of document.querySelectorAll('button[data-delete]')) {
  if (button instanceof HTMLButtonElement) confirmDelete(button);
}
list?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
if (list?.hasAttribute('data-live')) {
  setInterval(() => refresh().catch(() => {}), pollMs);
  document.addEventListener('visibilitychange', () => refresh().catch(() => {}));
}
addEventListener('focus', () => {
  document.title = title;
});
document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.target instanceof HTMLInputElement && event.target.type === 'search') return;
  if (event.key === 'j') go(1);
  if (event.key === 'k') go(-1);
});
