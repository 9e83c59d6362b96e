import { randomUUID } from 'node:crypto';
import { messageIdOf } from '../../mail/compose/headers.ts';
import { encodedSizeUpperBound, octetsOfTextByte } from '../../mail/compose/stored-mail.ts';
import type { Viewer } from '../../platform/request-context.ts';
import { isOperator } from '../permissions.ts';
import { authoredOf, type EmailColumns, type MessageRow, type NewFile } from './columns.ts';
import { type Copy, copiesExcept, dueAtOf, type NewEmail } from './email-input.ts';
import { fingerprintOf } from './idempotency.ts';
import type { NewMessage } from './input.ts';

/**
 * The row that the statement of `addTicketMessage` inserts for a valid message. The mail of an e-mail gets a
 * new Message-ID at each call, and an upper bound of its size; if the mail quotes, the bound is larger than
 * any limit, so that the mail is composed and measured.
 * @param now the time from which a hold is counted
 */
export const rowOf = (
  viewer: Viewer,
  message: NewMessage,
  files: readonly NewFile[],
  now: Date,
): MessageRow => ({
  ...authoredOf(message),
  viewerId: viewer.userId,
  isOperator: isOperator(viewer),
  ticketId: message.ticketId ?? undefined,
  reference: message.reference ?? undefined,
  ifLastMessage: message.ifLastMessage ?? undefined,
  reopen: message.reopen || undefined,
  idempotencyKey: message.idempotencyKey ?? undefined,
  fingerprint: message.idempotencyKey === null ? undefined : fingerprintOf(message, files),
  files: orAbsent(files),
  ...(message.email === null ? undefined : ofEmail(message.email, message, files, now)),
});

/** More than any mailbox's limit, so that the mail is always measured. */
const unknownBytes = 2 ** 40;

const ofEmail = (
  email: NewEmail,
  message: NewMessage,
  files: readonly NewFile[],
  now: Date,
): EmailColumns => ({
  from: email.from,
  // Most mails are so far below the mailbox's limit that they need not be composed to be measured.
  mailBytes:
    email.quote === 'NONE'
      ? encodedSizeUpperBound({
          bodyBytes: Buffer.byteLength(message.body),
          signatureBytes: 0,
          quotedBytes: 0,
          recipients: 1 + email.copies.length,
          attachments: files,
        })
      : unknownBytes,
  signatureFactor: octetsOfTextByte,
  quote: email.quote,
  rfcMessageId: messageIdOf(randomUUID(), email.from),
  autoSubmitted: email.autoSubmitted || undefined,
  cancelIf: email.cancelIf.length === 0 ? undefined : [...email.cancelIf],
  dueAt: dueAtOf(email, now),
  copies: orAbsent(email.copies),
  copyKeys: orAbsent(email.copies.map(({ key }) => key)),
});

const orAbsent = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/**
 * The row without the copies that would go to the To address, because each recipient gets one mail. It
 * records the To address, so that the statement does not ask for this comparison again.
 * @param copies the copies of the message's e-mail
 */
export function withoutCopiesTo(row: MessageRow, copies: readonly Copy[], toAddress: string): MessageRow {
  const others = copiesExcept(copies, toAddress);
  const copyKeys = orAbsent(others.map(({ key }) => key));
  return { ...row, copies: orAbsent(others), copyKeys, copiesExcept: toAddress };
}

/**
 * The row for a dry run that ignores the size of a mail and its copies; a row without an e-mail is returned
 * unchanged.
 */
export const forDryRun = (row: MessageRow): MessageRow =>
  row.from === undefined ? row : { ...row, mailBytes: 0, signatureFactor: 0, copies: undefined };
