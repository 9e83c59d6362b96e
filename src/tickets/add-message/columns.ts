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

/** Columns of a message that its author fills in. They have the same names in the schema and in the table. */
export const authored = {
  body: messages.body,
  format: messages.format,
  visibility: messages.visibility,
  isMobileDevice: messages.isMobileDevice,
  language: messages.language,
};
/** The fields of a message that its author fills in. */
export type Authored = Pick<typeof messages.$inferSelect, keyof typeof authored>;

const names = Object.keys(authored) as (keyof Authored)[];

/** An object with the authored fields alone. */
export const authoredOf = <T extends Record<keyof Authored, unknown>>(message: T): Pick<T, keyof Authored> =>
  Object.fromEntries(names.map((key) => [key, message[key]])) as unknown as Pick<T, keyof Authored>;

/** Columns that each file of a message has. Its bytes are in the blob store already. */
export const fileColumns = {
  /** Place among the message's files, from 1. */
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
/** Columns of a file that may be absent. */
export const optionalFileColumns = {
  /** The Content-ID by which the HTML may refer to it. */
  contentId: attachments.contentId,
  /** The earlier upload that is attached. It can be attached once. */
  uploadId: attachments.uploadId,
  /** The scan's state where files are scanned: set for all files of a message or for none. */
  scan: attachments.scan,
};
/** A file of a message to append. */
export type NewFile = RecordOf<typeof fileColumns> & PartialRecordOf<typeof optionalFileColumns>;

/** A file of a message, without what depends on the message. */
export type FileOf = Omit<NewFile, 'position' | 'contentId' | 'isInline'>;

/**
 * Everything that a mail depends on besides its message, as its preview showed it. If any of it has changed,
 * the message is refused with PREVIEW_STALE.
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
/** The values of `expectedColumns`. */
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
  /** The most octets that a byte of the signature can become in the mail; 0 when `mailBytes` is exact. */
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
  copiesExcept: deliveryRecipients.address,
  expect: member<MailExpectation>('json'),
};

/** All columns of a row: of the message, its ticket (`ticketId` or `reference`), its files and its e-mail. */
export const rowColumns = {
  ...alwaysColumns,
  ticketId: tickets.id,
  reference: tickets.reference,
  /** The last message that the author has seen; absent without this condition. */
  ifLastMessage: messages.id,
  /** Whether to reopen a closed ticket; absent unless true. */
  reopen: member<boolean>('boolean'),
  idempotencyKey: idempotencyKeys.key,
  /** Hexadecimal digest of the input without its ticket, which the statement adds. */
  fingerprint: member<string>('text'),
  files: member<readonly NewFile[]>('json'),
  ...emailColumns,
};

/** The members that an e-mail adds to a row. */
export type EmailColumns = PartialRecordOf<typeof emailColumns>;
/** A message to append. It passed every rule that can be checked without the database. */
export type MessageRow = Authored &
  RecordOf<Pick<typeof alwaysColumns, 'viewerId' | 'isOperator'>> &
  PartialRecordOf<Omit<typeof rowColumns, keyof typeof alwaysColumns>>;
