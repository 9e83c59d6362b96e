/* Channels on which commits announce work (NOTIFY). Payloads are empty unless described. */

/** To processes with watchers: tickets have new events. The payload lists the tickets' ids: `47,48`. */
export const eventsChannel = 'ticketwire_events';
/**
 * To the mail workers: a mail may be due. The payload `home` says that sending was held or released.
 */
export const outboxChannel = 'ticketwire_outbox';
/** To the scanner: a file waits for its scan. */
export const scansChannel = 'ticketwire_scans';
/** To the workers that send webhooks: an endpoint was added or enabled. */
export const webhooksChannel = 'ticketwire_webhooks';
