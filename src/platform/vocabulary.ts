/* The product's closed sets of words. Columns, GraphQL enums and types are derived from them. */

export const ticketStatuses = ['OPEN', 'CLOSED'] as const;
export const visibilities = ['PUBLIC', 'PRIVATE'] as const;
export const formats = ['TEXT', 'HTML'] as const;
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
export const recipientKinds = ['TO', 'CC', 'BCC'] as const;
export const recipientStates = [
  'PENDING',
  'SENT',
  'DEFERRED',
  'FAILED',
  'OUTCOME_UNKNOWN',
  'CANCELLED',
] as const;
/** How far an attempt got. Its outcome can be unknown only in phase BODY. */
export const attemptPhases = ['CONNECT', 'ENVELOPE', 'BODY', 'SETTLED'] as const;
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
export const quotes = ['NONE', 'LAST', 'ALL'] as const;

export type Quote = (typeof quotes)[number];
/** Conditions that cancel a held mail. */
export const cancelReasons = ['REQUESTER_REPLIED', 'OPERATOR_REPLIED'] as const;

export type TicketStatus = (typeof ticketStatuses)[number];
/** Notes on a command that was executed, but perhaps not as its author expects. */
export const warningCodes = ['DUPLICATE_RECIPIENT'] as const;

export type WarningCode = (typeof warningCodes)[number];
export type CancelReason = (typeof cancelReasons)[number];
export type Visibility = (typeof visibilities)[number];
export type MessageFormat = (typeof formats)[number];
export type DeliveryState = (typeof deliveryStates)[number];
export type RecipientKind = (typeof recipientKinds)[number];
export type RecipientState = (typeof recipientStates)[number];
export type AttemptPhase = (typeof attemptPhases)[number];
export type ScanState = (typeof scanStates)[number];
export type EventType = (typeof eventTypes)[number];

/** What can be done about a mail that was not delivered. */
export const suggestedActions = [
  'CHECK_ADDRESS',
  'WAIT',
  'CONTACT_RECIPIENT_OTHERWISE',
  'REDUCE_SIZE',
  'CHECK_MAILBOX',
  'ASK_MAIL_ADMINISTRATOR',
  'RETRY',
  'RESOLVE',
] as const;
export type SuggestedAction = (typeof suggestedActions)[number];
