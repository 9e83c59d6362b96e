import { and, eq, sql } from 'drizzle-orm';
import type { BodyChangeCode } from '../content/changes.ts';
import type { Viewer } from '../context.ts';
import { events } from '../db/tables.ts';
import { Refusal } from '../errors.ts';
import { addressKey } from '../mail/address.ts';
import type { WarningCode } from '../vocabulary.ts';
import type { AppendedRow } from './appended-row.ts';
import { type Attachment, listAttachments } from './attachment.ts';
import type { DeskContext } from './desk.ts';
import { findKey, keyReused, withTicket } from './idempotency.ts';
import { awaitsScan, type Delivery, loadDeliveriesOf } from './ledger.ts';
import { loadMessages, type Message } from './message.ts';
import { copiesOf, type EmailReplyInput } from './message-input.ts';
import type { NewMessageRow } from './new-message-row.ts';
import { isOperator } from './policy.ts';
import { loadTickets, type Ticket } from './ticket.ts';
import type { WrittenInput } from './written-body.ts';

/** What the command did, with all that its caller would otherwise have to ask for. */
export interface Added {
  readonly ticket: Ticket;
  readonly message: Message;
  readonly attachments: readonly Attachment[];
  readonly delivery: Delivery | null;
  /** Whether an earlier call with this idempotency key did it. */
  readonly replayed: boolean;
  readonly warnings: readonly Warning[];
  /** Number of the message's event, as this viewer counts: watch the ticket from here on. */
  readonly cursor: number;
}

export interface Warning {
  readonly code: WarningCode | BodyChangeCode;
  readonly message: string;
}

/** From the statement's answer, without asking the database again. */
export function addedFrom(
  viewer: Viewer,
  row: NewMessageRow,
  answer: AppendedRow,
  written: WrittenInput,
  scans: boolean,
): Added {
  const messageId = answer.messageId!;
  const createdAt = new Date(answer.createdAt!);
  const delivery = deliveryFrom(row, answer, createdAt, scans);
  return {
    ticket: {
      id: answer.ticketId!,
      reference: answer.reference!,
      subject: answer.subject!,
      status: answer.status!,
      requesterId: answer.requesterId!,
      createdAt: new Date(answer.ticketCreatedAt!),
      messageCount: answer.messageCount!,
      cursor: answer.cursor!,
    },
    message: {
      id: messageId,
      ticketId: answer.ticketId!,
      authorId: viewer.userId,
      body: row.body,
      format: row.format,
      visibility: row.visibility,
      isMobileDevice: row.mobile,
      createdAt,
      redactedAt: null,
    },
    attachments: row.files.map((file, index) => ({
      id: answer.attachmentIds![index]!,
      messageId,
      position: file.position,
      fileName: file.name,
      contentType: file.type,
      byteSize: file.size,
      sha256: Buffer.from(file.sha256, 'hex'),
      blobKey: file.blob,
      contentId: file.contentId,
      isInline: file.inline,
      scan: scans ? 'PENDING' : null,
    })),
    delivery,
    replayed: false,
    warnings: warningsFor(written, delivery),
    cursor: answer.cursor!,
  };
}

function deliveryFrom(
  row: NewMessageRow,
  answer: AppendedRow,
  createdAt: Date,
  scans: boolean,
): Delivery | null {
  if (row.email === null) return null;
  return {
    id: answer.deliveryId!,
    messageId: answer.messageId!,
    ticketId: answer.ticketId!,
    state: row.email.dueAt === null ? 'QUEUED' : 'HELD',
    fromAddress: answer.fromAddress!,
    fromName: answer.fromName!,
    subject: answer.mailSubject!,
    rfcMessageId: answer.rfcMessageId!,
    attempts: 0,
    dueAt: row.email.dueAt === null ? createdAt : new Date(row.email.dueAt),
    settledAt: null,
    failure: scans && row.files.length > 0 ? awaitsScan : null,
    createdAt,
    recipients: [
      { kind: 'TO' as const, address: answer.toAddress!, name: answer.toName! },
      ...(answer.copies ?? []),
    ].map((recipient, index) => ({
      position: index + 1,
      kind: recipient.kind,
      address: recipient.address,
      name: 'name' in recipient ? recipient.name : '',
      state: 'PENDING',
      smtpReply: null,
      enhancedCode: null,
    })),
  };
}

/** The same for the first call and for its replays: a function of the input and of the delivery's first recipient. */
export function warningsOf(email: EmailReplyInput, toAddress: string): Warning[] {
  const { copies, duplicates } = copiesOf(email);
  const to = addressKey(toAddress);
  const again = copies.filter(({ key }) => key === to).map(({ address }) => address);
  return [...new Set([...duplicates, ...again])].map((address) => ({
    code: 'DUPLICATE_RECIPIENT',
    message: `${address} is named more than once and gets one copy`,
  }));
}

const warningsFor = ({ input, changes }: WrittenInput, delivery: Delivery | null): Warning[] => [
  ...changes,
  ...(input.email == null || delivery === null
    ? []
    : warningsOf(input.email, delivery.recipients[0]!.address)),
];

/**
 * The result of the first call with the row's idempotency key, or undefined when there was none.
 * @throws Refusal IDEMPOTENCY_KEY_REUSED for another input; TICKET_NOT_FOUND when the viewer may no longer see what was added.
 */
export async function replayOf(
  ctx: DeskContext,
  viewer: Viewer,
  row: NewMessageRow,
  written: WrittenInput,
): Promise<Added | undefined> {
  if (row.key === null) return undefined;
  const stored = await findKey(ctx.desk.database.desk, viewer.userId, row.key);
  if (stored === undefined) return undefined;
  const message = (await loadMessages(ctx, [stored.messageId], ctx.desk.limits.bodyBytes)).get(
    stored.messageId,
  );
  const named = await ctx.desk.judge({ ...row, email: null });
  const ticketId = named[0]!.ticketId;
  // A ticket that the viewer may not see is not compared: that it is another one would tell that it exists.
  if (ticketId === null || !stored.fingerprint.equals(withTicket(row.fingerprint!, ticketId))) {
    if (ticketId === null && message === undefined)
      throw new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);
    throw keyReused();
  }
  if (message === undefined)
    throw new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);
  const [tickets, attachments, deliveries] = await Promise.all([
    loadTickets(ctx, [message.ticketId]),
    listAttachments(ctx, [message.id]),
    loadDeliveriesOf(ctx, [message.id]),
  ]);
  const ticket = tickets.get(message.ticketId)!;
  const delivery = deliveries.get(message.id) ?? null;
  return {
    ticket,
    message,
    attachments: attachments.get(message.id) ?? [],
    delivery,
    replayed: true,
    warnings: warningsFor(written, delivery),
    cursor: await cursorOf(ctx, viewer, message),
  };
}

/** The number of the event that told of a message. */
async function cursorOf(ctx: DeskContext, viewer: Viewer, { ticketId, id }: Message): Promise<number> {
  const [event] = await ctx.desk.database.readAs(viewer, (db) =>
    db
      .select({ number: isOperator(viewer) ? events.number : sql<number>`${events.publicNumber}` })
      .from(events)
      .where(and(eq(events.ticketId, ticketId), eq(events.messageId, id), eq(events.type, 'MESSAGE_ADDED'))),
  );
  return event!.number;
}
