// @ts-check
/* A mail as a card. What customers and mail servers wrote is text, never markup. */

import { states, suggestions } from './states.js';

/**
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string | false | null)} children
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== false && child !== null));
  return made;
}

/** @param {string} instant */
function timeOf(instant) {
  const text = new Date(instant).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
  return element('time', { datetime: instant }, text);
}

const kinds = /** @type {Record<string, string>} */ ({ TO: 'To', CC: 'Cc', BCC: 'Bcc' });
const outcomes = /** @type {Record<string, string>} */ ({
  PENDING: 'Not sent yet',
  SENT: 'Accepted',
  DEFERRED: 'Deferred',
  FAILED: 'Failed',
  OUTCOME_UNKNOWN: 'Unknown',
  CANCELLED: 'Cancelled',
});

/** @param {any} recipient */
function recipientRow({ kind, address, state, failure, suggestedAction, smtpReply }) {
  const advice = suggestions[suggestedAction];
  return element(
    'li',
    {},
    element('span', { class: 'kind' }, kinds[kind] ?? kind),
    element('span', { class: 'address' }, address),
    element('span', { class: `state ${state.toLowerCase()}` }, outcomes[state] ?? state),
    failure && element('p', { class: 'why' }, failure, advice === undefined ? '' : ` ${advice}`),
    failure && smtpReply && element('code', { class: 'reply' }, smtpReply),
  );
}

/** @param {any[]} attempts */
function attemptsOf(attempts) {
  const rows = attempts.map(({ number, startedAt, phase, outcome, reply }) =>
    element(
      'li',
      {},
      element('span', {}, `${number}. `, timeOf(startedAt), ` · ${states[outcome]?.word ?? `at ${phase}`}`),
      reply && element('code', { class: 'reply' }, reply),
    ),
  );
  const title = `${attempts.length} ${attempts.length === 1 ? 'attempt' : 'attempts'}`;
  return element('details', {}, element('summary', {}, title), element('ol', {}, ...rows));
}

/**
 * A button that may ask to be pressed twice. It forgets the first press when the operator turns elsewhere.
 * @param {import('./states.js').Action} action
 * @param {string} subject
 * @param {() => Promise<void>} act
 */
function actionButton(action, subject, act) {
  const button = element('button', { type: 'button' });
  let isSure = false;
  /** @param {boolean} next */
  function ask(next) {
    isSure = next;
    button.classList.toggle('sure', next);
    button.textContent = next ? `Really: ${action.title.toLowerCase()}` : action.title;
    if (next) button.removeAttribute('aria-label');
    else button.setAttribute('aria-label', `${action.title}: ${subject}`);
  }
  button.addEventListener('click', async () => {
    if (action.sure === true && !isSure) return ask(true);
    button.setAttribute('disabled', '');
    await act();
    button.removeAttribute('disabled');
    ask(false);
  });
  button.addEventListener('blur', () => isSure && !button.hasAttribute('disabled') && ask(false));
  ask(false);
  return button;
}

/** @param {any} delivery */
function waitsUntil({ state, dueAt }) {
  return ['HELD', 'DEFERRED'].includes(state) && element('span', {}, ' · due ', timeOf(dueAt));
}

/**
 * @param {any} delivery
 * @param {((action: import('./states.js').Action) => Promise<void>) | undefined} act changes it, if allowed
 */
export function mailCard(delivery, act) {
  const { id, state, subject, from, createdAt, failure, recipients, attempts, rfcMessageId } = delivery;
  const { word, actions } = states[state] ?? { word: state, actions: [] };
  const isTold = recipients.some((/** @type {any} */ one) => one.failure !== null);
  return element(
    'article',
    { 'data-id': id },
    element(
      'header',
      {},
      element('h3', {}, subject),
      element('span', { class: `state ${state.toLowerCase()}` }, word),
    ),
    element('p', { class: 'facts' }, `From ${from} · `, timeOf(createdAt), waitsUntil(delivery)),
    !isTold && failure && element('p', { class: 'why' }, failure),
    element('ul', { class: 'recipients' }, ...recipients.map(recipientRow)),
    element('p', { class: 'facts' }, 'Message-ID ', element('code', {}, rfcMessageId)),
    attempts.length > 0 && attemptsOf(attempts),
    act !== undefined &&
      actions.length > 0 &&
      element('p', { class: 'actions' }, ...actions.map((one) => actionButton(one, subject, () => act(one)))),
  );
}
