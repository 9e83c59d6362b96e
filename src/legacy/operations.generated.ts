/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { IncomingFile } from '../platform/incoming-file.ts';
export type AddTicketMessageInput = {
  readonly attachments?: ReadonlyArray<AttachmentInput> | null | undefined;
  readonly body: string;
  readonly email?: EmailReplyInput | null | undefined;
  readonly expectPreviewHash?: string | null | undefined;
  readonly format?: MessageFormat | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly ifLastMessage?: string | number | null | undefined;
  readonly isMobileDevice?: boolean | null | undefined;
  readonly language?: string | null | undefined;
  readonly reopen?: boolean | null | undefined;
  readonly ticket: TicketSelector;
  readonly visibility?: MessageVisibility | null | undefined;
};

export type AttachmentInput =
  {   readonly file: IncomingFile; readonly inline?: never; readonly upload?: never; }
  |  { readonly file?: never;   readonly inline: InlineAttachmentInput; readonly upload?: never; }
  |  { readonly file?: never; readonly inline?: never;   readonly upload: string | number; };

export type CancelReason =
  | 'OPERATOR_REPLIED'
  | 'REQUESTER_REPLIED';

export type EmailReplyInput = {
  readonly autoSubmitted?: boolean | null | undefined;
  readonly bcc?: ReadonlyArray<string> | null | undefined;
  readonly cancelIf?: ReadonlyArray<CancelReason> | null | undefined;
  readonly cc?: ReadonlyArray<string> | null | undefined;
  readonly from: string;
  readonly holdSeconds?: number | null | undefined;
  readonly quote?: Quote | null | undefined;
  readonly sendAt?: string | null | undefined;
};

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
  | 'RATE_LIMITED'
  | 'RECIPIENT_MISSING'
  | 'TICKET_CHANGED'
  | 'TICKET_NOT_FOUND'
  | 'UNAUTHENTICATED';

export type InlineAttachmentInput = {
  readonly contentId: string;
  readonly file?: IncomingFile | null | undefined;
  readonly upload?: string | number | null | undefined;
};

export type MessageFormat =
  | 'HTML'
  | 'TEXT';

export type MessageVisibility =
  | 'PRIVATE'
  | 'PUBLIC';

export type Quote =
  | 'ALL'
  | 'LAST'
  | 'NONE';

export type TicketSelector =
  {   readonly id: string | number; readonly reference?: never; readonly ticketId?: never; }
  |  { readonly id?: never;   readonly reference: string; readonly ticketId?: never; }
  |  { readonly id?: never; readonly reference?: never;   readonly ticketId: number; };

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
