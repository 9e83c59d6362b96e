import { randomUUID } from 'node:crypto';
import type { Viewer } from '../context.ts';
import { decodeGlobalId } from '../global-id.ts';
import { messageIdOf } from '../mail/header.ts';
import { fingerprintOf } from './idempotency.ts';
import { mailBytesUpperBound } from './mail.ts';
import { type AddTicketMessageInput, copiesOf, dueAtOf } from './message-input.ts';
import type { NewEmail, NewFile, NewMessageRow } from './new-message-row.ts';
import { isOperator } from './policy.ts';
import { resolveSelector } from './selector.ts';

/** The statement's row for an input that was found good. */
export function rowOf(
  viewer: Viewer,
  input: AddTicketMessageInput,
  key: string | undefined,
  files: readonly NewFile[],
  now: Date,
): NewMessageRow {
  return {
    ...resolveSelector(input.ticket),
    viewerId: viewer.userId,
    operator: isOperator(viewer),
    body: input.body,
    format: input.format,
    visibility: input.visibility,
    mobile: input.isMobileDevice,
    ifLast:
      input.ifLastMessage == null ? null : (decodeGlobalId('TicketMessage', input.ifLastMessage) ?? null),
    key: key ?? null,
    fingerprint: key === undefined ? null : fingerprintOf(input, files),
    files,
    email: emailOf(input, files, now),
  };
}

function emailOf(input: AddTicketMessageInput, files: readonly NewFile[], now: Date): NewEmail | null {
  const { email } = input;
  if (email == null) return null;
  return {
    from: email.from.trim(),
    ...mailBytesUpperBound(input, files),
    token: messageIdOf(randomUUID(), email.from.trim()),
    autoSubmitted: email.autoSubmitted,
    dueAt: dueAtOf(email, now),
    cancelIf: email.cancelIf,
    quote: email.quote,
    copies: copiesOf(email).copies,
    expect: null,
  };
}
