/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { IncomingFile } from '../incoming-file.ts';
export type AddTicketMessageInput = {
  /** At most 20. */
  readonly attachments?: ReadonlyArray<AttachmentInput>;
  /** Not blank; kept as written. */
  readonly body: string;
  /** Absent: no e-mail is sent. */
  readonly email?: EmailReplyInput | null | undefined;
  /** From previewTicketMessage: exactly that mail is sent, or the command is refused with PREVIEW_STALE. */
  readonly expectPreviewHash?: string | null | undefined;
  readonly format?: MessageFormat;
  /** Of your own making: the same call with the same key is done once. Kept 30 days. Or the header Idempotency-Key. */
  readonly idempotencyKey?: string | null | undefined;
  /** The last message that you have seen: refused with TICKET_CHANGED when there are later ones. */
  readonly ifLastMessage?: string | number | null | undefined;
  /** Sent from a phone or a tablet. */
  readonly isMobileDevice?: boolean;
  readonly ticket: TicketSelector;
  readonly visibility?: MessageVisibility;
};

/** Exactly one: a file of this request, an earlier upload, or either of them with a Content-ID. A picture that the HTML shows by cid: and its name, or its Content-ID, is part of the text; of several pictures with one name, the first cid: of that name shows the first, the second the second, further ones the last. */
export type AttachmentInput =
  {   readonly file: IncomingFile; readonly inline?: never; readonly upload?: never; }
  |  { readonly file?: never;   readonly inline: InlineAttachmentInput; readonly upload?: never; }
  |  { readonly file?: never; readonly inline?: never;   /** The id of an Upload; its uploader alone may use it. */
  readonly upload: string | number; };

/** A public answer that came before a waiting mail was sent makes it void; looked at when it is due. */
export type CancelReason =
  | 'OPERATOR_REPLIED'
  | 'REQUESTER_REPLIED';

/** Send the message to the ticket's requester as an e-mail. */
export type EmailReplyInput = {
  /** No person wrote it: the mail has Auto-Submitted (RFC 3834), and answering machines keep quiet. */
  readonly autoSubmitted?: boolean;
  /** At most 50 together with cc. */
  readonly bcc?: ReadonlyArray<string>;
  /** Send nothing when somebody has answered by then. */
  readonly cancelIf?: ReadonlyArray<CancelReason>;
  readonly cc?: ReadonlyArray<string>;
  /** Address of one of the desk's mailboxes. */
  readonly from: string;
  /** Wait before sending, up to 30 days; the message is visible at once. */
  readonly holdSeconds?: number | null | undefined;
  readonly quote?: Quote;
  /** Send no earlier, up to a year ahead. Not with holdSeconds. */
  readonly sendAt?: string | null | undefined;
};

/** Why a command said no. Closed: a new code is a new version of the schema. */
export type ErrorCode =
  | 'ATTACHMENT_NOT_FOUND'
  | 'ATTACHMENT_TOO_LARGE'
  | 'DELIVERY_NOT_FOUND'
  | 'DELIVERY_STATE'
  | 'EMAIL_TOO_LARGE'
  | 'FORBIDDEN'
  | 'IDEMPOTENCY_KEY_REUSED'
  | 'INVALID_INPUT'
  | 'MAILBOX_NOT_FOUND'
  | 'MAILBOX_NOT_READY'
  | 'MESSAGE_NOT_FOUND'
  | 'PREVIEW_STALE'
  | 'PRIVATE_WITH_EMAIL'
  | 'RECIPIENT_MISSING'
  | 'TICKET_CHANGED'
  | 'TICKET_NOT_FOUND'
  | 'UNAUTHENTICATED';

/** A picture that the HTML names by an id of its own: exactly one of file and upload. */
export type InlineAttachmentInput = {
  /** What stands after cid: in the HTML: 1 to 200 visible ASCII characters, no angle brackets. */
  readonly contentId: string;
  readonly file?: IncomingFile | null | undefined;
  /** The id of an Upload; its uploader alone may use it. */
  readonly upload?: string | number | null | undefined;
};

export type MessageFormat =
  | 'HTML'
  | 'TEXT';

/** PRIVATE messages are seen and written by operators only. */
export type MessageVisibility =
  | 'PRIVATE'
  | 'PUBLIC';

/** Which of the ticket's earlier public messages a mail repeats below the new one. */
export type Quote =
  | 'ALL'
  | 'LAST'
  | 'NONE';

/** Exactly one way of naming a ticket. */
export type TicketSelector =
  {   /** The global id. */
  readonly id: string | number; readonly reference?: never; readonly ticketId?: never; }
  |  { readonly id?: never;   /** INC-000047; compared without case. */
  readonly reference: string; readonly ticketId?: never; }
  |  { readonly id?: never; readonly reference?: never;   /** The old integer. */
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
