import type { MessageFormat, Quote, RecipientKind, Visibility } from '../vocabulary.ts';

/* What the command hands to the statement, and what the statement can say to it. */

/** One message to be appended, checked as far as it can be without the database. Bytes of digests are hexadecimal. */
export interface NewMessageRow {
  readonly ticketId: number | null;
  readonly reference: string | null;
  readonly viewerId: number;
  readonly operator: boolean;
  readonly body: string;
  readonly format: MessageFormat;
  readonly visibility: Visibility;
  readonly mobile: boolean;
  readonly ifLast: number | null;
  readonly key: string | null;
  /** Digest of the input without its ticket, which the statement adds. */
  readonly fingerprint: string | null;
  readonly files: readonly NewFile[];
  readonly email: NewEmail | null;
}
export interface NewFile {
  readonly position: number;
  readonly blob: string;
  /** Whether the blob's row is still to be written; an earlier upload has one. */
  readonly fresh: boolean;
  readonly size: number;
  readonly sha256: string;
  readonly name: string;
  readonly type: string;
  /** What the HTML may name it by beside its name. */
  readonly contentId: string | null;
  /** Whether the message's own HTML shows it. */
  readonly inline: boolean;
  /** The earlier upload that it is: it becomes an attachment once. */
  readonly upload?: string;
  /** Where files are scanned; of all files of a message or of none. */
  readonly scan?: 'PENDING';
}
export interface NewEmail {
  readonly from: string;
  /** The mail as encoded, bytes: an upper bound without the signature, or exact. */
  readonly mailBytes: number;
  /** What a byte of the signature can become in the mail; 0 when `mailBytes` is exact. */
  readonly signatureFactor: number;
  readonly quote: Quote;
  /** What the author saw in a preview; another mail is not sent. */
  readonly expect: Expected | null;
  /** The Message-ID, `<…@…>`. */
  readonly token: string;
  readonly autoSubmitted: boolean;
  /** Milliseconds since 1970; null: at once. */
  readonly dueAt: number | null;
  readonly cancelIf: readonly string[];
  readonly copies: readonly {
    readonly kind: Exclude<RecipientKind, 'TO'>;
    readonly address: string;
    readonly key: string;
  }[];
}

export interface Expected {
  readonly subject: string;
  readonly fromName: string;
  readonly signature: string;
  readonly toAddress: string;
  readonly toName: string;
  /** The conversation, as far as mails name or quote it. */
  readonly lastPublicMessageId: number;
}

export type Verdict =
  | 'TICKET_NOT_FOUND'
  | 'MAILBOX_NOT_FOUND'
  | 'MAILBOX_NOT_READY'
  | 'RECIPIENT_MISSING'
  | 'MAIL_SIZE'
  | 'TICKET_CHANGED'
  | 'PREVIEW_STALE'
  /** Somebody else holds the ticket's row. */
  | 'LOCKED'
  /** Another message of the group goes to the ticket first: ask again in a later group. */
  | 'LATER'
  /** The idempotency key is taken: by a row that is committed by now. */
  | 'KEY_TAKEN';
