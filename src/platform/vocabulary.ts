/* The product's closed sets of words. Columns, GraphQL enums and types are derived from them. */

/** Statuses of a ticket. */
export const ticketStatuses = ['OPEN', 'CLOSED'] as const;
/** Who may see a message. */
export const visibilities = ['PUBLIC', 'PRIVATE'] as const;
/** Formats of a message's body. */
export const formats = ['TEXT', 'HTML'] as const;
/** States of a mail. */
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
/** States of one recipient's copy. */
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
 * BODY: bytes of the mail may have been sent; SETTLED: the server answered the mail. The outcome can be
 * unknown only in phase BODY.
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

/** Results of a virus scan. */
export const scanStates = ['PENDING', 'CLEAN', 'INFECTED'] as const;
/** Which of a ticket's earlier public messages a mail quotes: none, the last one, or all. */
export const quotes = ['NONE', 'LAST', 'ALL'] as const;

/** Which earlier messages a mail quotes. */
export type Quote = (typeof quotes)[number];
/** Conditions that cancel a mail before it is sent: a reply of the requester, or of an operator. */
export const cancelReasons = ['REQUESTER_REPLIED', 'OPERATOR_REPLIED'] as const;

/** Status of a ticket. */
export type TicketStatus = (typeof ticketStatuses)[number];
/** Warnings about a command that was executed, but perhaps not as its author expects. */
const warningCodes = ['DUPLICATE_RECIPIENT'] as const;

/** Code of a warning about a message or its mail. */
export type WarningCode = (typeof warningCodes)[number];
/** A reason to cancel a mail before it is sent. */
export type CancelReason = (typeof cancelReasons)[number];
/** Who may see a message or an event. */
export type Visibility = (typeof visibilities)[number];
/** Format of a message's body. */
export type MessageFormat = (typeof formats)[number];
/** State of a delivery. */
export type DeliveryState = (typeof deliveryStates)[number];
/** How a recipient is addressed: To, Cc or Bcc. */
export type RecipientKind = (typeof recipientKinds)[number];
/** State of a recipient of a delivery. */
export type RecipientState = (typeof recipientStates)[number];
/** How far an attempt to send a mail got; see `attemptPhases`. */
export type AttemptPhase = (typeof attemptPhases)[number];
/** State of a file's virus scan. */
export type ScanState = (typeof scanStates)[number];
/** What happened to a ticket. */
export type EventType = (typeof eventTypes)[number];

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
