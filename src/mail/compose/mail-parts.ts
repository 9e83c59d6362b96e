import { messages } from '../../db/tables.ts';
import type { MessageFormat } from '../../platform/vocabulary.ts';

/** The columns of a message that its mail uses. Each has one name from the table to the mail. */
export const mailedColumns = { body: messages.body, format: messages.format, language: messages.language };
/** The values of `mailedColumns`. */
export type MailedMessage = Pick<typeof messages.$inferSelect, keyof typeof mailedColumns>;
const mailed = Object.keys(mailedColumns) as (keyof MailedMessage)[];
/** Picks the values of `mailedColumns` from a message that may have others. */
export const mailedOf = (message: MailedMessage): MailedMessage =>
  Object.fromEntries(mailed.map((key) => [key, message[key]])) as unknown as MailedMessage;

/** An address with its display name. */
export interface NamedAddress {
  /** Display name; may be empty. */
  readonly name: string;
  /** One addr-spec that `parseAddress` accepted. */
  readonly address: string;
}

/** A file of a message. */
export interface AttachmentPart {
  readonly fileName: string;
  readonly contentType: string;
  /** Bytes of the file itself. */
  readonly byteSize: number;
  readonly blobKey: string;
  readonly sha256: Uint8Array;
  /** The Content-ID, without angle brackets, by which the author's HTML may refer to it. */
  readonly contentId?: string | null | undefined;
}

/**
 * An earlier public message of the ticket that the mail quotes. `author` is a name, `body` is as it is
 * stored.
 */
export interface QuotedMessage {
  readonly author: string;
  readonly at: Date;
  readonly body: string;
  readonly format: MessageFormat;
  /** Its files. Pictures that its HTML shows are quoted with it. */
  readonly files: readonly AttachmentPart[];
}

/** Everything that a mail is made of. The same parts give the same bytes. */
export interface MailParts extends MailedMessage {
  /** With its angle brackets: `<…@…>`. */
  readonly messageId: string;
  readonly date: Date;
  readonly from: NamedAddress;
  readonly to: readonly NamedAddress[];
  readonly cc: readonly NamedAddress[];
  readonly bcc: readonly NamedAddress[];
  /** The header's value, with `Re:` and the reference. */
  readonly subject: string;
  /** The mailbox's signature as plain text; empty: none. */
  readonly signature: string;
  /** Newest first. */
  readonly quoted: readonly QuotedMessage[];
  /** Number of messages that were to be quoted and are left out, because the mail would be too long. */
  readonly omitted: number;
  /**
   * Message-IDs of earlier mails of the ticket that were sent or may have been, oldest first; see
   * `Conversation`.
   */
  readonly thread: readonly string[];
  /** Whether a program wrote it, so that it gets the header `Auto-Submitted` (RFC 3834). */
  readonly autoSubmitted: boolean;
  /** The files of the message, in their order. Pictures that its HTML shows are sent inline. */
  readonly attachments: readonly AttachmentPart[];
}
