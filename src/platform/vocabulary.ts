/*
 * The product's closed sets of words. Columns, GraphQL enums and types are derived from them. A new word also
 * needs a description in src/graphql/schema/enums.ts, and a migration if a column's CHECK lists the words.
 */

/** Statuses of a ticket. */
export const ticketStatuses = ['OPEN', 'CLOSED'] as const;
/** Who may see a message. */
export const visibilities = ['PUBLIC', 'PRIVATE'] as const;
/** Formats of a message's body. */
export const formats = ['TEXT', 'HTML'] as const;
/**
 * States of a delivery, which is a message's mail to all its recipients. QUEUED waits for a worker, HELD for
 * its time, and DEFERRED, after a temporary failure, for its next attempt: all three are sent automatically.
 * TRANSMITTING has an attempt under way. SENT and CANCELLED are final. FAILED and PARTIALLY_FAILED stay until
 * an operator retries them, and OUTCOME_UNKNOWN, which may have been sent, until an operator resolves it.
 */
export const deliveryStates = [
  'QUEUED',
  'HELD',
  'TRANSMITTING',
  'SENT',
  'PARTIALLY_FAILED',
  'FAILED',
  'DEFERRED',
  'OUTCOME_UNKNOWN',
  'CANCELLED',
] as const;
/** How a recipient is addressed. Bcc recipients are named in no header. */
export const recipientKinds = ['TO', 'CC', 'BCC'] as const;
/**
 * States of one recipient's copy. PENDING: still to be sent, without an outcome; DEFERRED: a temporary
 * failure, which is retried automatically; FAILED: refused, or given up; OUTCOME_UNKNOWN: perhaps sent.
 */
export const recipientStates = [
  'PENDING',
  'SENT',
  'DEFERRED',
  'FAILED',
  'OUTCOME_UNKNOWN',
  'CANCELLED',
] as const;
/**
 * How far an attempt to send a mail got. CONNECT: connecting and signing in; ENVELOPE: sender and recipients;
 * BODY: bytes of the mail may have been sent; SETTLED: the server accepted or refused the mail itself. An
 * attempt that breaks off has an unknown outcome only in phase BODY. A release of the outbox may declare the
 * outcome of any mail unknown, whatever the phase.
 */
export const attemptPhases = ['CONNECT', 'ENVELOPE', 'BODY', 'SETTLED'] as const;
/** What can happen in a ticket. */
export const eventTypes = [
  'MESSAGE_ADDED',
  'MESSAGE_REDACTED',
  'ATTACHMENT_SCANNED',
  'DELIVERY_SENT',
  'DELIVERY_PARTIALLY_FAILED',
  'DELIVERY_FAILED',
  'DELIVERY_DEFERRED',
  'DELIVERY_OUTCOME_UNKNOWN',
  'DELIVERY_CANCELLED',
  'DELIVERY_RETRIED',
  'DELIVERY_RESOLVED',
  'TICKET_CLOSED',
  'TICKET_REOPENED',
] as const;

/**
 * What the API calls the type of an event that is none of `eventTypes`. A later version has recorded it: one
 * that runs beside this one during an upgrade, or that was rolled back.
 */
export const otherEventType = 'OTHER';

/** Results of a virus scan. */
export const scanStates = ['PENDING', 'CLEAN', 'INFECTED'] as const;
/** Which of a ticket's earlier public messages a mail quotes: none, the last one, or all (up to 512 KiB). */
export const quotes = ['NONE', 'LAST', 'ALL'] as const;

/** Which of a ticket's earlier public messages a mail quotes; see `quotes`. */
export type Quote = (typeof quotes)[number];
/** Events that cancel a mail that was not tried yet: a public reply by the requester, or by an operator. */
export const cancelReasons = ['REQUESTER_REPLIED', 'OPERATOR_REPLIED'] as const;

/** Status of a ticket. */
export type TicketStatus = (typeof ticketStatuses)[number];
/** Warnings about a command that was executed, but perhaps not as its author expects. */
const warningCodes = ['DUPLICATE_RECIPIENT'] as const;

/** Code of a warning about a message or its mail. */
export type WarningCode = (typeof warningCodes)[number];
/** An event that cancels a mail that was not tried yet. */
export type CancelReason = (typeof cancelReasons)[number];
/** Who may see a message or an event. */
export type Visibility = (typeof visibilities)[number];
/** Format of a message's body. */
export type MessageFormat = (typeof formats)[number];
/** State of a delivery; see `deliveryStates`. */
export type DeliveryState = (typeof deliveryStates)[number];
/** How a recipient is addressed: To, Cc or Bcc. */
export type RecipientKind = (typeof recipientKinds)[number];
/** State of one recipient's copy; see `recipientStates`. */
export type RecipientState = (typeof recipientStates)[number];
/** How far an attempt to send a mail got; see `attemptPhases`. */
export type AttemptPhase = (typeof attemptPhases)[number];
/** State of a file's virus scan. */
export type ScanState = (typeof scanStates)[number];
/** What happened to a ticket, as it is stored. */
export type EventType = (typeof eventTypes)[number];
/** What happened to a ticket, as the API says it. */
export type ShownEventType = EventType | typeof otherEventType;

const knownEventTypes: ReadonlySet<string> = new Set(eventTypes);
/** A stored type as the API says it. */
export const shownEventType = (type: EventType): ShownEventType =>
  knownEventTypes.has(type) ? type : otherEventType;

/** What can be done about a mail that was not delivered. */
const suggestedActions = [
  'CHECK_ADDRESS',
  'WAIT',
  'CONTACT_RECIPIENT_OTHERWISE',
  'REDUCE_SIZE',
  'CHECK_MAILBOX',
  'ASK_MAIL_ADMINISTRATOR',
  'RETRY',
  'RESOLVE',
] as const;
/** What can be done about a mail that was not delivered. */
export type SuggestedAction = (typeof suggestedActions)[number];
