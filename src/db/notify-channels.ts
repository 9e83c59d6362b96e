/* Channels on which commits announce work (NOTIFY). */

/** To subscriptions; the payload lists ticket ids: `47,48`. */
export const eventsChannel = 'ticketwire_events';
/** To the worker: a mail was queued. */
export const outboxChannel = 'ticketwire_outbox';
/** To the scanner: a file was stored. */
export const scansChannel = 'ticketwire_scans';
/** To the worker: there is a webhook to send to. */
export const webhooksChannel = 'ticketwire_webhooks';
