import type { RecipientKind } from '../vocabulary.ts';
import type { NewEmail, NewMessageRow, Verdict } from './new-message-row.ts';

/* How rows go to the statement that appends them, and how its answers come back: each as one JSON value. */

/** The statement's `rows`. What is empty is left out, and nothing is nested that the statement would have to parse again. */
export function rowsOf(rows: readonly NewMessageRow[]): string {
  // Named one by one: copying "all but these" takes longer than writing them down as text does.
  return JSON.stringify(
    rows.map((row, n) => ({
      n,
      ticketId: row.ticketId ?? undefined,
      reference: row.reference ?? undefined,
      viewerId: row.viewerId,
      operator: row.operator,
      body: row.body,
      format: row.format,
      visibility: row.visibility,
      mobile: row.mobile,
      ifLast: row.ifLast ?? undefined,
      key: row.key ?? undefined,
      fingerprint: row.fingerprint ?? undefined,
      files: orAbsent(row.files),
      ...(row.email === null ? undefined : mailColumns(row.email)),
    })),
  );
}

const mailColumns = (email: NewEmail) => ({
  mail: true,
  mailFrom: email.from,
  mailBytes: email.mailBytes,
  signatureFactor: email.signatureFactor,
  quote: email.quote,
  expect: email.expect ?? undefined,
  token: email.token,
  autoSubmitted: email.autoSubmitted || undefined,
  dueAt: email.dueAt ?? undefined,
  cancelIf: orAbsent(email.cancelIf),
  copies: orAbsent(email.copies.map(({ kind, address }) => ({ kind, address }))),
  copyKeys: orAbsent(email.copies.map(({ key }) => key)),
});

const orAbsent = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

type Copy = { readonly kind: Exclude<RecipientKind, 'TO'>; readonly address: string };
/** As the statement writes it. */
export type AnsweredRow = [
  ...[verdict: Verdict | null, ticketId: number | null, reference: string | null, subject: string | null],
  ...[status: 'OPEN' | 'CLOSED' | null, requesterId: number | null, ticketCreatedAt: number | null],
  ...[messageCount: number | null, lastMessageId: number | null, messageId: number | null],
  ...[createdAt: number | null, cursor: number | null, attachmentIds: number[] | null],
  ...[
    deliveryId: number | null,
    mailSubject: string | null,
    fromName: string | null,
    fromAddress: string | null,
  ],
  ...[toAddress: string | null, toName: string | null, rfcMessageId: string | null, copies: Copy[] | null],
  ...[mailboxId: number | null, maxMailBytes: number | null],
];

/** The statement's answer to one row. `verdict` null: appended. */
export interface AppendedRow {
  readonly verdict: Verdict | null;
  readonly ticketId: number | null;
  readonly reference: string | null;
  readonly subject: string | null;
  readonly status: 'OPEN' | 'CLOSED' | null;
  readonly requesterId: number | null;
  readonly ticketCreatedAt: number | null;
  readonly messageCount: number | null;
  readonly lastMessageId: number | null;
  readonly messageId: number | null;
  /** Milliseconds since 1970. */
  readonly createdAt: number | null;
  /** The ticket's event cursor for this viewer's class, after this message. */
  readonly cursor: number | null;
  readonly attachmentIds: readonly number[] | null;
  readonly deliveryId: number | null;
  readonly mailSubject: string | null;
  readonly fromName: string | null;
  readonly fromAddress: string | null;
  readonly toAddress: string | null;
  readonly toName: string | null;
  readonly rfcMessageId: string | null;
  /** Whom the mail goes to beside To, in their order. */
  readonly copies: readonly Copy[] | null;
  readonly mailboxId: number | null;
  readonly maxMailBytes: number | null;
}

export const appendedRow = ([
  verdict,
  ticketId,
  reference,
  subject,
  status,
  requesterId,
  ticketCreatedAt,
  messageCount,
  lastMessageId,
  messageId,
  createdAt,
  cursor,
  attachmentIds,
  deliveryId,
  mailSubject,
  fromName,
  fromAddress,
  toAddress,
  toName,
  rfcMessageId,
  copies,
  mailboxId,
  maxMailBytes,
]: AnsweredRow): AppendedRow => ({
  verdict,
  ticketId,
  reference,
  subject,
  status,
  requesterId,
  ticketCreatedAt,
  messageCount,
  lastMessageId,
  messageId,
  createdAt,
  cursor,
  attachmentIds,
  deliveryId,
  mailSubject,
  fromName,
  fromAddress,
  toAddress,
  toName,
  rfcMessageId,
  copies,
  mailboxId,
  maxMailBytes,
});
