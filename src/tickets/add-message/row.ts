import { randomUUID } from 'node:crypto';
import { messageIdOf } from '../../mail/compose/header.ts';
import type { Viewer } from '../../platform/request-context.ts';
import { isOperator } from '../policy.ts';
import { authoredOf } from './authored.ts';
import type { EmailColumns, MessageRow, NewFile } from './commit/columns.ts';
import { type Copy, copiesBeside, dueAtOf, type NewEmail } from './email-input.ts';
import { fingerprintOf } from './idempotency.ts';
import type { NewMessage } from './input.ts';
import { mailBytesUpperBound } from './mail.ts';

/** Builds the row of the statement for a valid message. */
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

/** The row without the copies that would go to the To address, because each recipient gets one mail. */
export function withCopiesBeside(row: MessageRow, copies: readonly Copy[], toAddress: string): MessageRow {
  const others = copiesBeside(copies, toAddress);
  const copyKeys = orAbsent(others.map(({ key }) => key));
  return { ...row, copies: orAbsent(others), copyKeys, copiesBeside: toAddress };
}

/** The row for a dry run that ignores the mail's size and its copies. */
export const forDryRun = (row: MessageRow): MessageRow =>
  row.from === undefined ? row : { ...row, mailBytes: 0, signatureFactor: 0, copies: undefined };
