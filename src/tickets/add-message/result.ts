import { and, eq, sql } from 'drizzle-orm';
import type { BodyChangeCode } from '../../content/html/body-changes.ts';
import { events } from '../../db/tables.ts';
import { addressKey } from '../../mail/address.ts';
import { awaitsScan } from '../../mail/outbox/explain-failure.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { WarningCode } from '../../platform/vocabulary.ts';
import type { TicketContext } from '../context.ts';
import { type Delivery, loadDeliveriesOf } from '../deliveries/load-deliveries.ts';
import { isOperator, whyNotWrite } from '../permissions.ts';
import { type Attachment, listAttachments } from '../read/attachments.ts';
import { loadMessages, type Message } from '../read/load-messages.ts';
import { loadTickets, type Ticket } from '../read/tickets.ts';
import { refuse } from '../refusals-by-command.ts';
import { ticketNotFound } from '../ticket-selector.ts';
import type { MessageRow } from './columns.ts';
import { authoredOf } from './columns.ts';
import type { AppendedAnswer, MailedAnswer } from './commit/append-statement.ts';
import { findKey, keyReused } from './idempotency.ts';
import type { ParsedMessage } from './input.ts';

/** The command's result, with everything that its caller would otherwise have to query. */
export interface Added {
  readonly ticket: Ticket;
  readonly message: Message;
  /** In the order of their positions, pasted pictures last. */
  readonly attachments: readonly Attachment[];
  /** Null when the message has no e-mail. */
  readonly delivery: Delivery | null;
  /** Whether an earlier call with this idempotency key added the message. */
  readonly replayed: boolean;
  readonly warnings: readonly Warning[];
  /** Number of the message's event for this viewer, from which to watch the ticket. */
  readonly cursor: number;
}

/** Something about a message or its mail that its author should know. It does not prevent either. */
export interface Warning {
  readonly code: WarningCode | BodyChangeCode;
  readonly message: string;
}

/**
 * Builds the result of a message that was just added from the statement's result, without another query.
 * @param row the row as it was appended
 * @param scans whether new files are scanned, so that a mail with files waits for that
 */
export function addedFrom(
  row: MessageRow,
  answer: AppendedAnswer,
  read: ParsedMessage,
  scans: boolean,
): Added {
  const { ticketId, messageId, attachmentIds, cursor } = answer;
  const { reference, subject, status, requesterId, messageCount } = answer;
  const createdAt = new Date(answer.createdAt);
  const delivery = row.from === undefined ? null : deliveryFrom(row, answer as MailedAnswer, scans);
  return {
    ticket: {
      ...{ id: ticketId, reference, subject, status, requesterId, messageCount, cursor },
      createdAt: new Date(answer.ticketCreatedAt),
      lastMessageId: messageId,
      activeAt: createdAt,
    },
    message: {
      ...authoredOf(row),
      ...{ id: messageId, ticketId, authorId: row.viewerId, createdAt, redactedAt: null },
    },
    attachments: (row.files ?? []).map((file, index) => ({
      ...{ id: attachmentIds![index]!, messageId, position: file.position, blobKey: file.blobKey },
      ...{ fileName: file.fileName, contentType: file.contentType, byteSize: file.byteSize },
      ...{ isInline: file.isInline, contentId: file.contentId ?? null, scan: file.scan ?? null },
      sha256: Buffer.from(file.sha256, 'hex'),
    })),
    delivery,
    replayed: false,
    warnings: warningsOf(read, delivery === null ? null : answer.toAddress),
    cursor,
  };
}

function deliveryFrom(row: MessageRow, answer: MailedAnswer, scans: boolean): Delivery {
  const { deliveryId, messageId, ticketId, fromAddress, fromName, mailSubject, toAddress, toName } = answer;
  const createdAt = new Date(answer.createdAt);
  const people = [
    { kind: 'TO' as const, address: toAddress, name: toName },
    ...(row.copies ?? []).map(({ kind, address }) => ({ kind, address, name: '' })),
  ];
  return {
    ...{ id: deliveryId, messageId, ticketId, fromAddress, fromName, subject: mailSubject },
    rfcMessageId: row.rfcMessageId!,
    state: row.dueAt === undefined ? 'QUEUED' : 'HELD',
    attempts: 0,
    dueAt: row.dueAt === undefined ? createdAt : new Date(row.dueAt),
    settledAt: null,
    failure: scans && row.files !== undefined ? awaitsScan : null,
    createdAt,
    recipients: people.map((person, index) => ({
      ...person,
      ...{ position: index + 1, state: 'PENDING', smtpReply: null, enhancedCode: null },
    })),
  };
}

/**
 * Warnings about a message: one for each kind of change to its body, then a DUPLICATE_RECIPIENT for each
 * address of Cc and Bcc that repeats an earlier one or the To address. They follow from the input and the To
 * address alone, so that a replay has the same ones.
 * @param toAddress null when there is no delivery, and so no warning about recipients
 */
export function warningsOf({ message, changes }: ParsedMessage, toAddress: string | null): Warning[] {
  const { email } = message;
  if (email === null || toAddress === null) return [...changes];
  const to = addressKey(toAddress);
  const again = email.copies.filter(({ key }) => key === to).map(({ address }) => address);
  const duplicates = [...new Set([...email.duplicates, ...again])].map((address) => ({
    code: 'DUPLICATE_RECIPIENT' as const,
    message: `${address} is listed more than once and gets only one copy`,
  }));
  return [...changes, ...duplicates];
}

/**
 * The result of the first call with the row's idempotency key; undefined when the row has no key, or the
 * viewer has not used it before. Ticket, message, attachments and delivery are as they are now: the delivery
 * may have been sent, or the text redacted. The cursor is that of the first call.
 * @param read the input as it was parsed, from which the row was made
 * @throws Refusal TICKET_NOT_FOUND when the viewer sees neither the ticket that is named nor the message that
 *   the first call added; else IDEMPOTENCY_KEY_REUSED for another input or ticket, also one that the viewer
 *   may not see or that does not exist; else FORBIDDEN when the viewer is no operator any more and the
 *   message is private
 * @throws the error of the database when it cannot be read
 */
export async function replayOf(
  ctx: TicketContext,
  viewer: Viewer,
  row: MessageRow,
  read: ParsedMessage,
): Promise<Added | undefined> {
  const { idempotencyKey: key, fingerprint } = row;
  if (key === undefined) return undefined;
  const named = { userId: viewer.userId, key, fingerprint: fingerprint! };
  const stored = await findKey(ctx.services.database.desk, named);
  if (stored === undefined) return undefined;
  const message = (await loadMessages(ctx, [stored.messageId], ctx.services.limits.bodyBytes)).get(
    stored.messageId,
  );
  const { ticketId } = await ctx.services.dryRun({ ...row, body: '', from: undefined });
  // Null for a ticket that the viewer may not see and for one that does not exist: both get the same answer.
  if (!stored.isSameInput || stored.ticketId !== ticketId)
    throw refuse<'addTicketMessage'>(
      ticketId === null && message === undefined ? ticketNotFound() : keyReused(),
    );
  // The viewer sees the ticket and not the message, so it is private and they are no operator any more.
  if (message === undefined)
    throw refuse<'addTicketMessage'>(whyNotWrite(viewer, read.message) ?? ticketNotFound());
  const [tickets, attachments, deliveries] = await Promise.all([
    loadTickets(ctx, [message.ticketId]),
    listAttachments(ctx, [message.id]),
    loadDeliveriesOf(ctx, [message.id]),
  ]);
  const delivery = deliveries.get(message.id) ?? null;
  return {
    ticket: tickets.get(message.ticketId)!,
    message,
    attachments: attachments.get(message.id) ?? [],
    delivery,
    replayed: true,
    warnings: warningsOf(read, delivery === null ? null : delivery.recipients[0]!.address),
    cursor: await cursorOf(ctx, viewer, message),
  };
}

/** The number of a message's MESSAGE_ADDED event. */
async function cursorOf(ctx: TicketContext, viewer: Viewer, { ticketId, id }: Message): Promise<number> {
  const [event] = await ctx.services.database.readAs(viewer, (db) =>
    db
      .select({ number: isOperator(viewer) ? events.number : sql<number>`${events.publicNumber}` })
      .from(events)
      .where(and(eq(events.ticketId, ticketId), eq(events.messageId, id), eq(events.type, 'MESSAGE_ADDED'))),
  );
  return event!.number;
}
