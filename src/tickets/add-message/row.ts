import { randomUUID } from 'node:crypto';
import type { Viewer } from '../../context.ts';
import { member, type PartialRecordOf, type RecordOf } from '../../db/record.ts';
import {
  attachments,
  deliveries,
  deliveryRecipients,
  idempotencyKeys,
  mailboxes,
  messages,
  tickets,
} from '../../db/tables.ts';
import { messageIdOf } from '../../mail/header.ts';
import { isOperator } from '../policy.ts';
import { type Copy, dueAtOf, type NewEmail } from './email-input.ts';
import { fingerprintOf } from './idempotency.ts';
import { type Authored, authored, authoredOf, type NewMessage } from './input.ts';
import { mailBytesUpperBound } from './mail.ts';

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
export type Expected = RecordOf<typeof expectedColumns>;

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
  expect: member<Expected>('json'),
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

type EmailColumns = PartialRecordOf<typeof emailColumns>;
/** One message to be appended, checked as far as it can be without the database. */
export type Row = Authored &
  RecordOf<Pick<typeof alwaysColumns, 'viewerId' | 'isOperator'>> &
  PartialRecordOf<Omit<typeof rowColumns, keyof typeof alwaysColumns>>;

/** The statement's row for a message that was found good. */
export const rowOf = (viewer: Viewer, message: NewMessage, files: readonly NewFile[], now: Date): Row => ({
  ...authoredOf(message),
  viewerId: viewer.userId,
  isOperator: isOperator(viewer),
  ticketId: message.ticketId ?? undefined,
  reference: message.reference ?? undefined,
  ifLastMessage: message.ifLastMessage ?? undefined,
  idempotencyKey: message.idempotencyKey ?? undefined,
  fingerprint: message.idempotencyKey === null ? undefined : fingerprintOf(message, files),
  files: orAbsent(files),
  ...(message.email === null ? undefined : ofEmail(message.email, message, files, now)),
});

const ofEmail = (
  email: NewEmail,
  message: NewMessage,
  files: readonly NewFile[],
  now: Date,
): EmailColumns => ({
  from: email.from,
  ...mailBytesUpperBound(message, files),
  quote: email.quote,
  rfcMessageId: messageIdOf(randomUUID(), email.from),
  autoSubmitted: email.autoSubmitted || undefined,
  cancelIf: email.cancelIf.length === 0 ? undefined : [...email.cancelIf],
  dueAt: dueAtOf(email, now),
  copies: orAbsent(email.copies),
  copyKeys: orAbsent(email.copies.map(({ key }) => key)),
});

const orAbsent = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** The row for a judge who is not to look at the mail's size. */
export const withoutSize = (row: Row): Row =>
  row.from === undefined ? row : { ...row, mailBytes: 0, signatureFactor: 0 };
