import { member, type PartialRecordOf, type RecordOf } from '../../db/json-record.ts';
import {
  attachments,
  deliveries,
  deliveryRecipients,
  idempotencyKeys,
  mailboxes,
  messages,
  tickets,
} from '../../db/tables.ts';
import type { Copy } from './email-input.ts';

/*
 * The columns of the statement's input. The row's type, its JSON and the recordset that PostgreSQL reads are
 * all made from this table. Empty members are left out.
 */

/** The columns of a message that its author fills in. Each has one name from the schema to the table. */
export const authored = {
  body: messages.body,
  format: messages.format,
  visibility: messages.visibility,
  isMobileDevice: messages.isMobileDevice,
  language: messages.language,
};
export type Authored = Pick<typeof messages.$inferSelect, keyof typeof authored>;

const names = Object.keys(authored) as (keyof Authored)[];

/** Picks the authored fields. */
export const authoredOf = <T extends Record<keyof Authored, unknown>>(message: T): Pick<T, keyof Authored> =>
  Object.fromEntries(names.map((key) => [key, message[key]])) as unknown as Pick<T, keyof Authored>;

/** A file of the message, durable in the blob store. */
export const fileColumns = {
  position: attachments.position,
  blobKey: attachments.blobKey,
  /** Whether the blob still needs a row. An earlier upload has one. */
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
  /** The Content-ID by which the HTML may refer to it. */
  contentId: attachments.contentId,
  /** The earlier upload that is attached. It can be attached once. */
  uploadId: attachments.uploadId,
  /** The scan's state where files are scanned: set for all files of a message or for none. */
  scan: attachments.scan,
};
export type NewFile = RecordOf<typeof fileColumns> & PartialRecordOf<typeof optionalFileColumns>;

/** A file without its position in the message. */
export type FileOf = Omit<NewFile, 'position' | 'contentId' | 'isInline'>;

/**
 * Everything that a mail depends on besides its message, as its preview saw it. A different mail is not sent.
 */
export const expectedColumns = {
  subject: deliveries.subject,
  fromName: deliveries.fromName,
  signature: deliveries.signature,
  toAddress: deliveryRecipients.address,
  toName: deliveryRecipients.name,
  /** The last message that mails can name or quote. */
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
  /** Milliseconds since 1970; absent means immediately. */
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
  /** Whether to reopen a closed ticket; absent unless true. */
  reopen: member<boolean>('boolean'),
  idempotencyKey: idempotencyKeys.key,
  /** Hexadecimal digest of the input without its ticket, which the statement adds. */
  fingerprint: member<string>('text'),
  files: member<readonly NewFile[]>('json'),
  ...emailColumns,
};

export type EmailColumns = PartialRecordOf<typeof emailColumns>;
/** A message to append. It passed every rule that needs no database. */
export type MessageRow = Authored &
  RecordOf<Pick<typeof alwaysColumns, 'viewerId' | 'isOperator'>> &
  PartialRecordOf<Omit<typeof rowColumns, keyof typeof alwaysColumns>>;
