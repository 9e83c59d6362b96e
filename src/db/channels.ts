/* Where a commit says that there is something to do, for whoever listens (NOTIFY). */

/** Live readers; the payload names the tickets: `47,48`. */
export const eventsChannel = 'ticketwire_events';
/** The worker: a mail was queued. */
export const outboxChannel = 'ticketwire_outbox';
/** The scanner: a file has come. */
export const scansChannel = 'ticketwire_scans';
