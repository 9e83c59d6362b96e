/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { IncomingFile } from '../platform/incoming-file.ts';
/** A message and where it goes; a field that is null has its default. Example: `{ ticket: { reference: "INC-000047" }, body: "Can I meet you this afternoon?" }`. */
export type AddTicketMessageInput = {
  /** At most 20 files: `[{ upload: "VXBsb2FkOjBmMWUyZDNj" }]`. */
  readonly attachments?: ReadonlyArray<AttachmentInput> | null | undefined;
  /** What it says, kept as written. Not blank, and no larger than the gateway allows (MAX_BODY_BYTES). */
  readonly body: string;
  /** Also send it as an e-mail: `{ from: "company@domain.com" }`. Absent: none is sent. */
  readonly email?: EmailReplyInput | null | undefined;
  /** `previewHash` of a preview: exactly that mail is sent, or the command is refused with PREVIEW_STALE. */
  readonly expectPreviewHash?: string | null | undefined;
  /** How `body` is written: `HTML`. */
  readonly format?: MessageFormat | null | undefined;
  /** A text of your own making, 1 to 255 visible ASCII characters: the same call with the same key is done once, and answered as the first time. Kept 30 days. The header `Idempotency-Key` does the same. Example: `"8e03978e-40d5-43e8-bc93-6894a57f9324"`. */
  readonly idempotencyKey?: string | null | undefined;
  /** Global id of the last message that you have seen: refused with TICKET_CHANGED when there are later ones. Needs the scope READ. Example: `"VGlja2V0TWVzc2FnZTox"`. */
  readonly ifLastMessage?: string | number | null | undefined;
  /** Sent from a phone or a tablet. */
  readonly isMobileDevice?: boolean | null | undefined;
  /** What it is written in, a BCP 47 tag: `"de-CH"`. Kept in its canonical form, and the `Content-Language` of its e-mail. */
  readonly language?: string | null | undefined;
  /** Which ticket: `{ reference: "INC-000047" }`. */
  readonly ticket: TicketSelector;
  /** Who may see it: `PRIVATE` for a note among operators. */
  readonly visibility?: MessageVisibility | null | undefined;
};

/** A file of the message: of this request, uploaded before, or either of them with a Content-ID. A picture that the HTML shows by `cid:` and its name, or its Content-ID, is part of the text; of several pictures with one name, the first `cid:` of that name shows the first, the second the second, further ones the last. Example: `{ upload: "VXBsb2FkOjBmMWUyZDNj" }`. */
export type AttachmentInput =
  {   /** A file of this request: null in the JSON, and mapped to a part of the form. */
  readonly file: IncomingFile; readonly inline?: never; readonly upload?: never; }
  |  { readonly file?: never;   /** A picture with a Content-ID: `{ contentId: "logo", upload: "VXBsb2FkOjBmMWUyZDNj" }`. */
  readonly inline: InlineAttachmentInput; readonly upload?: never; }
  |  { readonly file?: never; readonly inline?: never;   /** What `uploadFile` answered, for whoever uploaded it: `"VXBsb2FkOjBmMWUyZDNj"`. */
  readonly upload: string | number; };

/** Whose public answer makes a waiting mail void. It is looked at when the mail is due. */
export type CancelReason =
  /** Another operator has written since. */
  | 'OPERATOR_REPLIED'
  /** The requester has written since. */
  | 'REQUESTER_REPLIED';

/** Sends the message to the ticket's requester as an e-mail. Needs the scope MAIL. Example: `{ from: "company@domain.com", cc: ["jane.doe@domain.com"] }`. */
export type EmailReplyInput = {
  /** No person wrote it: the mail has Auto-Submitted (RFC 3834), and answering machines keep quiet. */
  readonly autoSubmitted?: boolean | null | undefined;
  /** Blind copies: in no header of the mail, and shown to operators only. */
  readonly bcc?: ReadonlyArray<string> | null | undefined;
  /** Send nothing when somebody has answered by then: `[REQUESTER_REPLIED]`. Each at most once. */
  readonly cancelIf?: ReadonlyArray<CancelReason> | null | undefined;
  /** One address each: `["jane.doe@domain.com"]`. At most 50 together with `bcc`. */
  readonly cc?: ReadonlyArray<string> | null | undefined;
  /** Address of one of the viewer's mailboxes: `"company@domain.com"`. */
  readonly from: string;
  /** Wait so long before sending, up to 2592000 (30 days): `60` leaves a minute to cancel. The message is visible at once. */
  readonly holdSeconds?: number | null | undefined;
  /** Which earlier public messages to repeat below: `LAST`. Any but `NONE` needs the scope READ. */
  readonly quote?: Quote | null | undefined;
  /** Send no earlier, up to a year ahead: `"2026-12-24T18:00:00+01:00"`. Not together with `holdSeconds`. */
  readonly sendAt?: string | null | undefined;
};

/** Why a command said no. The list is closed: a new code is a new version of the schema, and named in CHANGELOG.md. */
export type ErrorCode =
  /** There is no such attachment. */
  | 'ATTACHMENT_NOT_FOUND'
  /** A file, or all files of the message together, are over the limit. */
  | 'ATTACHMENT_TOO_LARGE'
  /** There is no such delivery. */
  | 'DELIVERY_NOT_FOUND'
  /** The delivery's state does not allow this: a mail that was sent cannot be cancelled. */
  | 'DELIVERY_STATE'
  /** The e-mail, as encoded for sending, is larger than the mailbox can send. */
  | 'EMAIL_TOO_LARGE'
  /** The viewer's role, or a scope of the credential, does not allow this. */
  | 'FORBIDDEN'
  /** The idempotency key belongs to an earlier call with another input. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** Something in the input is wrong: `problems` lists everything, each with its path. */
  | 'INVALID_INPUT'
  /** There is no mailbox with the address `from`, or the viewer may not send from it. */
  | 'MAILBOX_NOT_FOUND'
  /** The mailbox is disabled, or has no SMTP server to send by. */
  | 'MAILBOX_NOT_READY'
  /** There is no such message. */
  | 'MESSAGE_NOT_FOUND'
  /** The mail would not be the one that was previewed: preview it again. */
  | 'PREVIEW_STALE'
  /** A private message is for operators, so it cannot be sent to the requester as an e-mail. */
  | 'PRIVATE_WITH_EMAIL'
  /** Too many commands in a minute: wait for `retryAfterSeconds`, then send it again. */
  | 'RATE_LIMITED'
  /** The ticket's requester has no e-mail address. */
  | 'RECIPIENT_MISSING'
  /** The ticket has messages after `ifLastMessage`: read them, then send again. */
  | 'TICKET_CHANGED'
  /** There is no such ticket, or the viewer may not see it: the two cannot be told apart. */
  | 'TICKET_NOT_FOUND'
  /** Nobody is signed in. Send a credential and try again. */
  | 'UNAUTHENTICATED';

/** A picture that the HTML names by an id of its own: exactly one of `file` and `upload`. Example: `{ contentId: "logo", upload: "VXBsb2FkOjBmMWUyZDNj" }`. */
export type InlineAttachmentInput = {
  /** What stands after `cid:` in the HTML: `"logo"`. 1 to 200 visible ASCII characters, no angle brackets. */
  readonly contentId: string;
  /** A file of this request: null in the JSON, and mapped to a part of the form. */
  readonly file?: IncomingFile | null | undefined;
  /** What `uploadFile` answered, for whoever uploaded it: `"VXBsb2FkOjBmMWUyZDNj"`. */
  readonly upload?: string | number | null | undefined;
};

/** How a message's `body` is written. */
export type MessageFormat =
  /** HTML. It is kept as written, and shown cleaned. */
  | 'HTML'
  /** Plain text. */
  | 'TEXT';

/** Who may see a message. */
export type MessageVisibility =
  /** Operators only: a note among colleagues. */
  | 'PRIVATE'
  /** The ticket's requester and all operators. */
  | 'PUBLIC';

/** Which of the ticket's earlier public messages a mail repeats below the new one. */
export type Quote =
  /** All, the newest first; at most 50. */
  | 'ALL'
  /** The last one. */
  | 'LAST'
  /** None. */
  | 'NONE';

/** Names one ticket, in exactly one way. Example: `{ reference: "INC-000047" }`. */
export type TicketSelector =
  {   /** Global id: `"VGlja2V0OjQ3"`. */
  readonly id: string | number; readonly reference?: never; readonly ticketId?: never; }
  |  { readonly id?: never;   /** What people call it: `"INC-000047"`. Upper and lower case are the same. */
  readonly reference: string; readonly ticketId?: never; }
  |  { readonly id?: never; readonly reference?: never;   /** Number, as the legacy endpoint uses it: `47`. */
  readonly ticketId: number; };

export type AddLegacyMessageMutationVariables = Exact<{
  input: AddTicketMessageInput;
}>;


export type AddLegacyMessageMutation = { readonly addTicketMessage:
    | { readonly __typename: 'AddTicketMessagePayload', readonly replayed: boolean, readonly ticketMessage: { readonly messageId: number } }
    | { readonly __typename: 'AttachmentTooLargeError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'EmailTooLargeError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'ForbiddenError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'IdempotencyKeyReusedError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'InvalidInputError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string>, readonly problems: ReadonlyArray<{ readonly path: ReadonlyArray<string>, readonly message: string }> }
    | { readonly __typename: 'MailboxNotFoundError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'MailboxNotReadyError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'PreviewStaleError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'PrivateWithEmailError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'RateLimitedError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string>, readonly retryAfterSeconds: number }
    | { readonly __typename: 'RecipientMissingError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'TicketChangedError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'TicketNotFoundError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
    | { readonly __typename: 'UnauthenticatedError', readonly code: ErrorCode, readonly message: string, readonly path: ReadonlyArray<string> }
   };

export type FindLegacyTicketQueryVariables = Exact<{
  ticketId: number;
  reference: string;
}>;


export type FindLegacyTicketQuery = { readonly byId: { readonly ticketId: number } | null, readonly byReference: { readonly ticketId: number } | null };
