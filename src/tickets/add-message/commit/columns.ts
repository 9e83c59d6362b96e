import { member, type PartialRecordOf, type RecordOf } from '../../../db/json-record.ts';
import {
  attachments,
  deliveries,
  deliveryRecipients,
  idempotencyKeys,
  mailboxes,
  messages,
  tickets,
} from '../../../db/tables.ts';
import { type Authored, authored } from '../authored.ts';
import type { Copy } from '../email-input.ts';

/*
 * What the statement is given of each message: one table of columns, from which the row's type, its JSON and
 * the columns that PostgreSQL reads it into are made. What is empty is left out.
 */

/** A file of the message, durable in the blob store. */
export const fileColumns = {
  position: attachments.position,
  blobKey: attachments.blobKey,
  /** Whether the blob's row is still to be written; an earlier upload has one. */
  isFresh: member<boolean>('boolean'),
  byteSize: attachments.byteSize,
  /** Hexadecimal. */
  sha256: member<string>('text'),
  fileName: attachments.fileName,
  contentType: attachments.contentType,
  /** Whether the message's own HTML shows it. */
  isInline: attachments.isInline,
};
export const optionalFileColumns = {
  /** What the HTML may name it by beside its name. */
  contentId: attachments.contentId,
  /** The earlier upload that it is: it becomes an attachment once. */
  uploadId: attachments.uploadId,
  /** Where files are scanned; of all files of a message or of none. */
  scan: attachments.scan,
};
export type NewFile = RecordOf<typeof fileColumns> & PartialRecordOf<typeof optionalFileColumns>;

/** Of a file what its bytes and its sender say; its place in the message is another matter. */
export type FileOf = Omit<NewFile, 'position' | 'contentId' | 'isInline'>;

/**
 * What a mail depends on beside its message: what the author saw in a preview, or another mail is not sent.
 */
export const expectedColumns = {
  subject: deliveries.subject,
  fromName: deliveries.fromName,
  signature: deliveries.signature,
  toAddress: deliveryRecipients.address,
  toName: deliveryRecipients.name,
  /** The conversation, as far as mails name or quote it. */
  lastPublicMessageId: tickets.lastPublicMessageId,
};
export type MailExpectation = RecordOf<typeof expectedColumns>;

/** Present in each row. */
const alwaysColumns = {
  ...authored,
  viewerId: messages.authorId,
  isOperator: member<boolean>('boolean'),
};

/** Present when there is an e-mail. */
const emailColumns = {
  from: mailboxes.address,
  /** The mail as encoded, bytes: an upper bound without the signature, or exact. */
  mailBytes: member<number>('bigint'),
  /** What a byte of the signature can become in the mail; 0 when `mailBytes` is exact. */
  signatureFactor: member<number>('int'),
  quote: deliveries.quote,
  /** The Message-ID, `<…@…>`. */
  rfcMessageId: deliveries.rfcMessageId,
  autoSubmitted: deliveries.autoSubmitted,
  cancelIf: deliveries.cancelIf,
  /** Milliseconds since 1970; absent: at once. */
  dueAt: member<number>('float8'),
  copies: member<readonly Copy[]>('json'),
  copyKeys: member<readonly string[]>('text[]'),
  /** The To address that the copies were compared with by `addressKey`. */
  copiesBeside: deliveryRecipients.address,
  expect: member<MailExpectation>('json'),
};

export const rowColumns = {
  ...alwaysColumns,
  ticketId: tickets.id,
  reference: tickets.reference,
  ifLastMessage: messages.id,
  idempotencyKey: idempotencyKeys.key,
  /** Hexadecimal digest of the input without its ticket, which the statement adds. */
  fingerprint: member<string>('text'),
  files: member<readonly NewFile[]>('json'),
  ...emailColumns,
};

export type EmailColumns = PartialRecordOf<typeof emailColumns>;
/** One message to be appended, checked as far as it can be without the database. */
export type MessageRow = Authored &
  RecordOf<Pick<typeof alwaysColumns, 'viewerId' | 'isOperator'>> &
  PartialRecordOf<Omit<typeof rowColumns, keyof typeof alwaysColumns>>;
