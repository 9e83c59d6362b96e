// @ts-check
/* What a state means to an operator, and what can be done about it. */

/**
 * @typedef {{ title: string, mutation: string, input?: Record<string, string>, done: string,
 *   sure?: boolean }} Action
 */

/** @type {Record<string, Action>} */
const actions = {
  retry: { title: 'Try again', mutation: 'retryDelivery', done: 'It will be sent again.' },
  cancel: {
    title: 'Cancel',
    mutation: 'cancelDelivery',
    done: 'Cancelled. The message stays in its ticket.',
    sure: true,
  },
  arrived: {
    title: 'It arrived',
    mutation: 'resolveDelivery',
    input: { as: 'ASSUME_SENT' },
    done: 'Recorded as sent.',
    sure: true,
  },
  resend: {
    title: 'Send it again',
    mutation: 'resolveDelivery',
    input: { as: 'RESEND' },
    done: 'It is sent again, with the same Message-ID.',
    sure: true,
  },
};

/**
 * @typedef {{ key: string, title: string, about: string, filter: object }} Section
 * @type {Record<string, { title: string, sections: Section[], nothing: string }>}
 */
export const groups = {
  attention: {
    title: 'Needs you',
    nothing: 'Nothing to do: no mail failed, and every outcome is known.',
    sections: [
      {
        key: 'unknown',
        title: 'Outcome unknown',
        about:
          'It may have been sent: the connection or the worker was lost, or the outbox was released again. ' +
          'Look for its Message-ID in the mail server’s log, then decide. It is not sent again by itself.',
        filter: { state: 'OUTCOME_UNKNOWN' },
      },
      {
        key: 'failed',
        title: 'Failed',
        about:
          'The server refused these for at least one recipient. Correct what it says, then try again: only ' +
          'recipients without a copy get one.',
        filter: { hasFailedRecipient: true },
      },
    ],
  },
  waiting: {
    title: 'Waiting',
    nothing: 'No mail is waiting.',
    sections: [
      {
        key: 'deferred',
        title: 'Deferred',
        about: 'The server asked to try again later. Each is retried automatically, for five days.',
        filter: { state: 'DEFERRED' },
      },
      {
        key: 'held',
        title: 'Held',
        about: 'Each waits until the time that its author set.',
        filter: { state: 'HELD' },
      },
      { key: 'queued', title: 'Queued', about: 'Waits for a free worker.', filter: { state: 'QUEUED' } },
      {
        key: 'transmitting',
        title: 'Being sent',
        about: 'A worker is talking to the server.',
        filter: { state: 'TRANSMITTING' },
      },
    ],
  },
  sent: {
    title: 'Sent',
    nothing: 'No mail was sent yet.',
    sections: [
      {
        key: 'sent',
        title: 'Sent',
        about: 'The server accepted it for all recipients.',
        filter: { state: 'SENT' },
      },
    ],
  },
  cancelled: {
    title: 'Cancelled',
    nothing: 'No mail was cancelled.',
    sections: [
      {
        key: 'cancelled',
        title: 'Cancelled',
        about: 'Cancelled before it was sent. The message is in its ticket.',
        filter: { state: 'CANCELLED' },
      },
    ],
  },
};

/** @type {Record<string, { word: string, actions: Action[] }>} */
export const states = {
  QUEUED: { word: 'Queued', actions: [/** @type {Action} */ (actions.cancel)] },
  HELD: { word: 'Held', actions: [/** @type {Action} */ (actions.cancel)] },
  TRANSMITTING: { word: 'Being sent', actions: [] },
  SENT: { word: 'Sent', actions: [] },
  PARTIALLY_FAILED: { word: 'Partly failed', actions: [/** @type {Action} */ (actions.retry)] },
  FAILED: { word: 'Failed', actions: [/** @type {Action} */ (actions.retry)] },
  DEFERRED: { word: 'Deferred', actions: [actions.retry, actions.cancel].filter((one) => one !== undefined) },
  OUTCOME_UNKNOWN: {
    word: 'Unknown',
    actions: [actions.arrived, actions.resend].filter((one) => one !== undefined),
  },
  CANCELLED: { word: 'Cancelled', actions: [] },
};

/** @type {Record<string, string>} */
export const suggestions = {
  ASK_MAIL_ADMINISTRATOR: 'Ask the administrator of the mail server.',
  CHECK_ADDRESS: 'Check the address.',
  CHECK_MAILBOX: 'Check the settings of the mailbox that it is sent from.',
  CONTACT_RECIPIENT_OTHERWISE: 'Contact the recipient in another way.',
  REDUCE_SIZE: 'Send less: it is too large for the recipient.',
  RETRY: 'Try again once the cause is gone.',
  WAIT: 'It is retried automatically.',
};
