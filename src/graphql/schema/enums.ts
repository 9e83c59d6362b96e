import type { BodyChangeCode } from '../../content/html/body-changes.ts';
import type { Role, Scope } from '../../platform/request-context.ts';
import type {
  AttemptPhase,
  CancelReason,
  DeliveryState,
  MessageFormat,
  Quote,
  RecipientKind,
  RecipientState,
  ScanState,
  ShownEventType,
  SuggestedAction,
  TicketStatus,
  Visibility,
  WarningCode,
} from '../../platform/vocabulary.ts';
import { builder } from './builder.ts';

/** An enum of the domain's values, each with a description. */
const enumOf = <V extends string>(name: string, description: string, meanings: Record<V, string>) =>
  builder.enumType(name, {
    description,
    values: Object.fromEntries(
      Object.entries<string>(meanings).map(([value, meaning]) => [value, { description: meaning }]),
    ) as Record<V, { description: string }>,
  });

/** The enum `Role`. */
export const RoleEnum = enumOf<Role>('Role', 'Role of a person at the desk.', {
  OPERATOR: 'Works on tickets. Sees all of them, private messages included.',
  REQUESTER: 'Has tickets of their own and sees the public messages in them.',
});

const scopes = {
  READ: { value: 'read', description: 'Read and watch tickets, messages, files and deliveries.' },
  WRITE: { value: 'write', description: 'Add messages and upload files. Close and reopen tickets.' },
  MAIL: { value: 'mail', description: 'Send messages as e-mails. Retry, cancel and resolve deliveries.' },
  ADMIN: { value: 'admin', description: 'Redact messages and attachments.' },
} as const satisfies Record<Uppercase<Scope>, { value: Scope; description: string }>;
/** The enum `Scope`. In resolvers, its values are the domain's, in lower case: READ is `read`. */
export const ScopeEnum = builder.enumType('Scope', {
  description:
    "The permissions of a credential. A password has all that its user's role allows. Only operators " +
    'have MAIL and ADMIN.',
  values: scopes,
});

const bodyChanges = {
  HIDDEN_TEXT: 'Hidden text was removed.',
  REMOTE_PICTURE: 'A remote picture was blocked.',
  PICTURE: 'A picture was removed because its address cannot be shown.',
  LINK: 'A link was replaced by its text: its address is not a web, e-mail or telephone address.',
  SCRIPT: 'A script was removed.',
  FORM: 'A form field was removed or replaced by its text.',
  EMBEDDED: 'Embedded content (media, drawings, other pages) was removed or replaced by a link.',
  PLACEMENT: 'An element that would have covered others was moved back into the text.',
  STYLE: 'A rule of a style sheet was ignored because its selector is not supported.',
} satisfies Record<BodyChangeCode, string>;

/** The enum `BodyChangeCode`. */
export const BodyChangeCodeEnum = enumOf<BodyChangeCode>(
  'BodyChangeCode',
  'Why a part of a body is not shown as it was written.',
  bodyChanges,
);

/** The enum `TicketStatus`. */
export const TicketStatusEnum = enumOf<TicketStatus>('TicketStatus', 'Whether a ticket is open.', {
  OPEN: 'Being worked on, or waiting.',
  CLOSED: 'Done. Messages can still be added, and do not reopen it unless their input has `reopen: true`.',
});

/** The enum `MessageFormat`. */
export const MessageFormatEnum = enumOf<MessageFormat>(
  'MessageFormat',
  "How a message's `body` is written.",
  {
    TEXT: 'Plain text.',
    HTML: 'HTML. It is stored as written and sanitized for display.',
  },
);

/** The enum `MessageVisibility`. */
export const VisibilityEnum = enumOf<Visibility>('MessageVisibility', 'Who may see a message.', {
  PUBLIC: "The ticket's requester and all operators.",
  PRIVATE: 'Operators only: a note among colleagues.',
});

/** The enum `DeliveryState`. */
export const DeliveryStateEnum = enumOf<DeliveryState>(
  'DeliveryState',
  'State of a delivery: QUEUED or HELD, then TRANSMITTING, then one of the others. DEFERRED is retried.',
  {
    QUEUED: 'Waits for a free worker.',
    HELD: 'Waits for `dueAt`.',
    TRANSMITTING: 'A worker is talking to the SMTP server.',
    SENT: 'The server accepted it for all recipients.',
    PARTIALLY_FAILED: 'The server accepted it for some recipients and refused others.',
    FAILED: 'Refused for all recipients, given up after five days, or not sent: a file is infected.',
    DEFERRED: 'It failed temporarily and is retried automatically.',
    OUTCOME_UNKNOWN:
      'It may have been sent: the worker or the connection was lost after sending had begun, or the outbox ' +
      'was released after a restore of its database, or with doubt. It is not sent again until an operator ' +
      'decides: `resolveDelivery`.',
    CANCELLED: 'Cancelled before it was sent.',
  },
);

/** The enum `RecipientKind`. */
export const RecipientKindEnum = enumOf<RecipientKind>(
  'RecipientKind',
  'The header field in which a mail lists a recipient.',
  {
    TO: "To: the ticket's requester.",
    CC: 'Cc: visible to all recipients.',
    BCC: 'Bcc: in no header of the mail.',
  },
);

/** The enum `RecipientState`. */
export const RecipientStateEnum = enumOf<RecipientState>('RecipientState', "State of one recipient's copy.", {
  PENDING: 'Not sent yet.',
  SENT: 'The server accepted it.',
  DEFERRED: 'It failed temporarily and is retried automatically.',
  FAILED: 'The server refused it, it was given up after five days, or a file is infected.',
  OUTCOME_UNKNOWN: 'The server may have accepted it. An operator decides: `resolveDelivery`.',
  CANCELLED: 'Cancelled before it was sent.',
});

/** The enum `SuggestedAction`. */
export const SuggestedActionEnum = enumOf<SuggestedAction>(
  'SuggestedAction',
  'What can be done about a mail that did not arrive, and by whom.',
  {
    CHECK_ADDRESS: 'Check the address: it may be mistyped or may no longer exist.',
    WAIT: 'Nothing: it is retried automatically.',
    CONTACT_RECIPIENT_OTHERWISE: 'Contact the recipient in another way: their mailbox does not accept mail.',
    REDUCE_SIZE: 'Send less: the mail is too large for the recipient.',
    CHECK_MAILBOX: "Check the settings of the desk's own mailbox.",
    ASK_MAIL_ADMINISTRATOR: "Ask the administrator of the desk's mail server, which refuses the mail.",
    RETRY: 'Send it again with `retryDelivery` after fixing the cause.',
    RESOLVE: 'Decide with `resolveDelivery` whether it was sent.',
  },
);

/** The enum `AttemptPhase`. */
export const AttemptPhaseEnum = enumOf<AttemptPhase>('AttemptPhase', 'How far an attempt got.', {
  CONNECT: 'Connecting and signing in.',
  ENVELOPE: 'Sending the addresses of the sender and the recipients.',
  BODY: 'Sending the mail itself. From here on, only the server knows whether it has accepted the mail.',
  SETTLED: 'Ended: the server accepted or refused the mail itself.',
});

/** The enum `Quote`. */
export const QuoteEnum = enumOf<Quote>(
  'Quote',
  'The earlier public messages of the ticket that a mail quotes below the new one.',
  {
    NONE: 'None.',
    LAST: 'The last one.',
    ALL: 'All, the newest first, up to 512 KiB. The mail counts those left out.',
  },
);

/** The enum `CancelReason`. */
export const CancelReasonEnum = enumOf<CancelReason>(
  'CancelReason',
  'Whose public answer cancels a waiting mail that was not tried yet. Checked when the mail is due.',
  {
    REQUESTER_REPLIED: 'The requester has written since.',
    OPERATOR_REPLIED: 'An operator has written since, even the author of the mail.',
  },
);

/** The enum `TicketEventType`. */
export const EventTypeEnum = enumOf<ShownEventType>('TicketEventType', 'What happened in a ticket.', {
  MESSAGE_ADDED: 'A message was added.',
  ATTACHMENT_SCANNED: 'A virus scanner has scanned a file of a message.',
  MESSAGE_REDACTED: 'A message or one of its files was redacted.',
  DELIVERY_SENT: 'A mail was sent to all its recipients.',
  DELIVERY_PARTIALLY_FAILED: 'A mail was sent to some recipients and refused for others.',
  DELIVERY_FAILED: 'A mail was refused for all its recipients, or given up.',
  DELIVERY_DEFERRED: 'A mail could not be sent and is tried again.',
  DELIVERY_OUTCOME_UNKNOWN: 'It is unknown whether a mail was sent. An operator has to decide.',
  DELIVERY_CANCELLED: 'A mail was cancelled.',
  DELIVERY_RETRIED: 'An operator retried a mail.',
  DELIVERY_RESOLVED: 'An operator resolved a mail whose outcome was unknown.',
  TICKET_CLOSED: 'An operator closed the ticket.',
  TICKET_REOPENED: 'An operator reopened the ticket.',
  OTHER:
    'Something that this version of the gateway has no name for, because a later one has recorded it. Load ' +
    'the ticket again.',
});

/** The enum `WarningCode`: DUPLICATE_RECIPIENT, and all values of `BodyChangeCode`. */
export const WarningCodeEnum = enumOf<WarningCode | BodyChangeCode>(
  'WarningCode',
  'What a warning is about.',
  { DUPLICATE_RECIPIENT: 'An address was listed more than once. It gets one copy.', ...bodyChanges },
);

/** The enum `AttachmentScan`. */
export const AttachmentScanEnum = enumOf<ScanState>(
  'AttachmentScan',
  "The virus scanner's result for a file.",
  {
    PENDING:
      'Not scanned yet. A mail with the file waits. The file can be downloaded, but is never shown ' +
      'inline.',
    CLEAN: 'Nothing was found.',
    INFECTED: 'Malware was found. Nobody can download the file, and a mail with it fails.',
  },
);
