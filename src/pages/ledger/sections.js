// @ts-check
/* The groups of the ledger, and the open group's sections with a page of mails each. */

import { element, mailCard } from './cards.js';
import { groups } from './states.js';

/** @param {string} name @param {boolean} isOpen @param {Record<string, any>} data */
export function groupLink(name, isOpen, data) {
  const { title, sections } = /** @type {any} */ (groups[name]);
  const found = sections.map((/** @type {any} */ { key }) => data[key]);
  const count = found.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.totalCount, 0);
  const isExact = found.every((/** @type {any} */ one) => one.totalCountIsExact);
  const current = isOpen ? { 'aria-current': 'page' } : {};
  return element(
    'a',
    { href: `#${name}`, 'data-group': name, ...current },
    title,
    ' ',
    element(
      'b',
      name === 'attention' && count !== 0 ? { class: 'alarm' } : {},
      isExact ? `${count}` : `${count}+`,
    ),
  );
}

/**
 * @typedef {{
 *   isNewest: boolean,
 *   turn: (before: string | undefined) => Promise<void>,
 *   act: ((action: import('./states.js').Action, delivery: string) => Promise<void>) | undefined,
 * }} Choices whether the page is the newest, how to show another one, and how to change a mail, if allowed
 */

/**
 * The newest mail comes first.
 * @param {any} section
 * @param {any} page of the API, whose mails come oldest first
 * @param {Choices} choices
 */
export function sectionOf({ key, title, about }, { nodes, pageInfo }, { isNewest, turn, act }) {
  const cards = nodes.map((/** @type {any} */ mail) =>
    mailCard(mail, act && ((action) => act(action, mail.id))),
  );
  return element(
    'section',
    {},
    element('h2', { id: `of-${key}`, tabindex: '-1' }, title),
    element('p', { class: 'about' }, about),
    ...cards.reverse(),
    !isNewest && turnButton('Show the newest', () => turn(undefined)),
    pageInfo.hasPreviousPage && turnButton('Show older', () => turn(pageInfo.startCursor)),
  );
}

/** @param {string} text @param {() => void} turn */
function turnButton(text, turn) {
  const button = element('button', { type: 'button', class: 'more' }, text);
  button.addEventListener('click', turn);
  return button;
}
