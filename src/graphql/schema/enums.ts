import type { BodyChangeCode } from '../../content/html/changes.ts';
import type { Role, Scope } from '../../platform/request-context.ts';
import type {
  AttemptPhase,
  CancelReason,
  DeliveryState,
  EventType,
  MessageFormat,
  Quote,
  RecipientKind,
  RecipientState,
  ScanState,
  SuggestedAction,
  TicketStatus,
  Visibility,
  WarningCode,
} from '../../platform/vocabulary.ts';
import { builder } from './builder.ts';

/** An enum whose values are the domain's own words, each described. */
const enumOf = <V extends string>(name: string, description: string, meanings: Record<V, string>) =>
  builder.enumType(name, {
    description,
    values: Object.fromEntries(
      Object.entries<string>(meanings).map(([value, meaning]) => [value, { description: meaning }]),
    ) as Record<V, { description: string }>,
  });

export const RoleEnum = enumOf<Role>('Role', 'What a person is to the desk.', {
  OPERATOR: 'Works on tickets: sees all of them, and private messages.',
  REQUESTER: 'Has tickets of their own, and sees their public messages.',
});

const scopes = {
  READ: { value: 'read', description: 'Look at tickets, messages, files and deliveries, and watch tickets.' },
  WRITE: { value: 'write', description: 'Add messages and upload files; open and close tickets.' },
  MAIL: { value: 'mail', description: 'Send messages as e-mails; retry, cancel and resolve deliveries.' },
  ADMIN: { value: 'admin', description: 'Redact messages and attachments.' },
} as const satisfies Record<Uppercase<Scope>, { value: Scope; description: string }>;
export const ScopeEnum = builder.enumType('Scope', {
  description:
    "What a credential may be used for. A password has all that its user's role allows; MAIL and ADMIN " +
    "are operators'.",
  values: scopes,
});

const bodyChanges = {
  HIDDEN_TEXT: 'Text that no reader would have seen is left out.',
  REMOTE_PICTURE: 'A picture of the web is held back.',
  PICTURE: 'A picture is left out whose address cannot be shown.',
  LINK: 'A link is plain text: its address is not of the web, an e-mail or a telephone.',
  SCRIPT: 'A script is left out.',
  FORM: 'A field of a form is left out, or is plain text.',
  EMBEDDED: 'What is played, drawn or shown by another page is left out, or is a link.',
  PLACEMENT: 'Something stands in its place that would have covered what is around it.',
  STYLE: 'A rule of a style sheet is passed over: what it applies to is not understood.',
} satisfies Record<BodyChangeCode, string>;

export const BodyChangeCodeEnum = enumOf<BodyChangeCode>(
  'BodyChangeCode',
  'Why something of a body is not shown as it was written.',
  bodyChanges,
);

export const TicketStatusEnum = enumOf<TicketStatus>('TicketStatus', 'Whether a ticket is still worked on.', {
  OPEN: 'Worked on, or waiting.',
  CLOSED: 'Done. Messages can be added all the same, and do not open it again.',
});

export const MessageFormatEnum = enumOf<MessageFormat>(
  'MessageFormat',
  "How a message's `body` is written.",
  {
    TEXT: 'Plain text.',
    HTML: 'HTML. It is kept as written, and shown cleaned.',
  },
);

export const VisibilityEnum = enumOf<Visibility>('MessageVisibility', 'Who may see a message.', {
  PUBLIC: "The ticket's requester and all operators.",
  PRIVATE: 'Operators only: a note among colleagues.',
});

export const DeliveryStateEnum = enumOf<DeliveryState>(
  'DeliveryState',
  'Where a mail is on its way: QUEUED or HELD, then TRANSMITTING, then one of the others. DEFERRED is ' +
    'tried again.',
  {
    QUEUED: 'To be sent as soon as a worker is free.',
    HELD: 'Waits for `dueAt`.',
    TRANSMITTING: 'A worker is talking to the SMTP server.',
    SENT: 'The server took it for every recipient.',
    PARTIALLY_FAILED: 'The server took it for some recipients and refused others.',
    FAILED: 'Refused for every recipient, or given up after five days.',
    DEFERRED: 'It did not work this time; it is tried again by itself.',
    OUTCOME_UNKNOWN:
      'The worker or the connection was lost while the server had the mail. It is not sent again until ' +
      'an operator decides: `resolveDelivery`.',
    CANCELLED: 'Called off before it was sent.',
  },
);

export const RecipientKindEnum = enumOf<RecipientKind>(
  'RecipientKind',
  'In which field a mail names a recipient.',
  {
    TO: "To: the ticket's requester.",
    CC: 'Cc: everybody sees it.',
    BCC: 'Bcc: in no header of the mail.',
  },
);

export const RecipientStateEnum = enumOf<RecipientState>(
  'RecipientState',
  "What became of one recipient's copy.",
  {
    PENDING: 'Not sent yet.',
    SENT: 'The server took it.',
    DEFERRED: 'The server asked to try again later.',
    FAILED: 'The server refused it.',
    OUTCOME_UNKNOWN: 'The connection was lost while the server had it.',
    CANCELLED: 'Called off before it was sent.',
  },
);

export const SuggestedActionEnum = enumOf<SuggestedAction>(
  'SuggestedAction',
  'What may help a mail that did not arrive, and so who has to do something.',
  {
    CHECK_ADDRESS: 'Look at the address: it may be mistyped, or gone.',
    WAIT: 'Nothing: it is tried again by itself.',
    CONTACT_RECIPIENT_OTHERWISE: 'Reach the recipient in another way: their mailbox takes no mail.',
    REDUCE_SIZE: 'Send less: the mail is too large for the recipient.',
    CHECK_MAILBOX: "Look at the settings of the desk's own mailbox.",
    ASK_MAIL_ADMINISTRATOR: "Ask whoever runs the desk's mail: the server refuses it.",
    RETRY: 'Send it again with `retryDelivery`, once its cause is mended.',
    RESOLVE: 'Decide with `resolveDelivery` whether it was sent.',
  },
);

export const AttemptPhaseEnum = enumOf<AttemptPhase>('AttemptPhase', 'How far an attempt at sending got.', {
  CONNECT: 'Connecting and signing in.',
  ENVELOPE: 'Naming the sender and the recipients.',
  BODY: 'Sending the mail itself. From here on, only the server knows whether it took the mail.',
  SETTLED: 'Over: the server answered, or the connection ended.',
});

export const QuoteEnum = enumOf<Quote>(
  'Quote',
  "Which of the ticket's earlier public messages a mail repeats below the new one.",
  { NONE: 'None.', LAST: 'The last one.', ALL: 'All, the newest first; at most 50.' },
);

export const CancelReasonEnum = enumOf<CancelReason>(
  'CancelReason',
  'Whose public answer makes a waiting mail void. It is looked at when the mail is due.',
  {
    REQUESTER_REPLIED: 'The requester has written since.',
    OPERATOR_REPLIED: 'Another operator has written since.',
  },
);

export const EventTypeEnum = enumOf<EventType>('TicketEventType', 'What happened in a ticket.', {
  MESSAGE_ADDED: 'A message was added.',
  ATTACHMENT_SCANNED: 'A virus scanner has looked at a file of a message.',
  MESSAGE_REDACTED: 'A message or one of its files was taken back.',
  DELIVERY_SENT: 'A mail was sent to all its recipients.',
  DELIVERY_PARTIALLY_FAILED: 'A mail was sent to some recipients and refused for others.',
  DELIVERY_FAILED: 'A mail was refused for all its recipients, or given up.',
  DELIVERY_DEFERRED: 'A mail could not be sent and is tried again.',
  DELIVERY_OUTCOME_UNKNOWN: 'Nobody knows whether a mail was sent; an operator has to decide.',
  DELIVERY_CANCELLED: 'A mail was called off.',
  DELIVERY_RETRIED: 'An operator had a mail sent again.',
  DELIVERY_RESOLVED: 'An operator decided about a mail whose outcome was unknown.',
  TICKET_CLOSED: 'An operator closed the ticket.',
  TICKET_REOPENED: 'An operator opened the ticket again.',
});

export const WarningCodeEnum = enumOf<WarningCode | BodyChangeCode>(
  'WarningCode',
  'What a warning is about.',
  { DUPLICATE_RECIPIENT: 'An address was named more than once, and gets one copy.', ...bodyChanges },
);

export const AttachmentScanEnum = enumOf<ScanState>(
  'AttachmentScan',
  'What a virus scanner said of a file.',
  {
    PENDING:
      'Not looked at yet. A mail with the file waits; the file can be downloaded, and is never shown in ' +
      'place.',
    CLEAN: 'Nothing was found.',
    INFECTED: 'Something was found: nobody is given the file, and a mail with it fails.',
  },
);
