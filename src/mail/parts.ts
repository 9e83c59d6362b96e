import type { MessageFormat } from '../vocabulary.ts';

export interface Person {
  /** Display name; may be empty. */
  readonly name: string;
  /** One addr-spec that `parseAddress` accepted. */
  readonly address: string;
}

export interface AttachmentPart {
  readonly fileName: string;
  readonly contentType: string;
  readonly byteSize: number;
  readonly blobKey: string;
  readonly sha256: Uint8Array;
}

/** An earlier public message of the ticket, repeated below the new one. */
export interface QuotedMessage {
  readonly author: string;
  readonly at: Date;
  readonly body: string;
  readonly format: MessageFormat;
}

/** Everything that a mail is made of. The same parts give the same bytes. */
export interface MailParts {
  /** `<…@…>` */
  readonly messageId: string;
  readonly date: Date;
  readonly from: Person;
  readonly to: readonly Person[];
  readonly cc: readonly Person[];
  readonly bcc: readonly Person[];
  /** As it stands in the header, `Re:` and reference included. */
  readonly subject: string;
  readonly body: string;
  readonly format: MessageFormat;
  readonly signature: string;
  /** Newest first. */
  readonly quoted: readonly QuotedMessage[];
  /** Message-IDs of the conversation before this mail, oldest first. */
  readonly thread: readonly string[];
  readonly attachments: readonly AttachmentPart[];
}
