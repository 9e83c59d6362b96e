import { inArray } from 'drizzle-orm';
import { blobs } from '../../db/tables.ts';
import { brokenConstraint } from '../../platform/database-faults.ts';
import { Refusal } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../invalid-input.ts';
import { whyNotWrite } from '../permissions.ts';
import { listMessagesAfter } from '../read/load-messages.ts';
import type { CodeOf, MessageCommand } from '../refusals-by-command.ts';
import { ticketNotFound } from '../ticket-selector.ts';
import { forDryRun, rowOf } from './build-row.ts';
import type { MessageRow } from './columns.ts';
import type { LeftOutAnswer } from './commit/append-statement.ts';
import type { RuleVerdict } from './commit/check-rows.ts';
import { findKey, keyReused } from './idempotency.ts';
import {
  type AttachmentInput,
  fileInputOf,
  isIdempotencyKey,
  type NewMessage,
  type ParsedMessage,
} from './input.ts';

/** A refusal that both `addTicketMessage` and `previewTicketMessage` can give. */
export type MessageRefusal = Refusal<CodeOf<MessageCommand>>;

/**
 * The first refusal that follows from the input and the viewer's permissions alone: FORBIDDEN, INVALID_INPUT
 * or PRIVATE_WITH_EMAIL; undefined when there is none. `precedingRefusal` finds one that takes precedence.
 */
export function refusalByInput(
  viewer: Viewer,
  { message, problems }: ParsedMessage,
): MessageRefusal | undefined {
  const forbidden = whyNotWrite(viewer, message);
  if (forbidden !== undefined) return forbidden;
  if (problems.length > 0) return invalidInput(problems);
  if (message.visibility === 'PRIVATE' && message.email !== null) {
    const why = 'A private message cannot be sent as an e-mail';
    return new Refusal('PRIVATE_WITH_EMAIL', why, undefined, ['email']);
  }
  return undefined;
}

/**
 * The refusal with which `addTicketMessage` answers instead of `found`: IDEMPOTENCY_KEY_REUSED whenever the
 * viewer has used the key before, else the result of `precedingRefusal`. This function does not compare the
 * input with that of the first call; `replayRefusedCall` does. Returns the refusal, and throws only when the
 * database cannot be read.
 */
export async function firstRefusal(
  ctx: TicketContext,
  viewer: Viewer,
  message: NewMessage,
  found: MessageRefusal,
): Promise<Refusal<CodeOf<'addTicketMessage'>>> {
  const { idempotencyKey: key } = message;
  // A key is stored only with an accepted input, so this refused input is usually a different one.
  // `replayRefusedCall` compares them.
  if (key !== null && isIdempotencyKey(key)) {
    const named = { userId: viewer.userId, key, fingerprint: '' };
    if ((await findKey(ctx.services.database.desk, named)) !== undefined) return keyReused();
  }
  return precedingRefusal(ctx, viewer, message, found);
}

/**
 * The refusal that takes precedence over `found`, or `found` itself. TICKET_NOT_FOUND takes precedence over
 * all others; MAILBOX_NOT_FOUND, MAILBOX_NOT_READY and RECIPIENT_MISSING only over ATTACHMENT_TOO_LARGE.
 * Returns the refusal, and throws only when the database cannot be read.
 */
export async function precedingRefusal(
  ctx: TicketContext,
  viewer: Viewer,
  message: NewMessage,
  found: MessageRefusal,
): Promise<MessageRefusal> {
  const email = found.code === 'ATTACHMENT_TOO_LARGE' ? message.email : null;
  const bare = { ...message, body: '', idempotencyKey: null, email };
  const row = forDryRun(rowOf(viewer, bare, [], ctx.now()));
  const answer = await ctx.services.dryRun(row);
  return answer.verdict === null ? found : refusalByRule(row, answer.verdict);
}

/** Makes the refusal for a mail that no longer equals its preview. */
export const previewStale = (): Refusal<'PREVIEW_STALE'> =>
  new Refusal('PREVIEW_STALE', 'The mail would differ from its preview', undefined, ['expectPreviewHash']);

/**
 * Makes the refusal for a rule that needs the database but no lock.
 * @throws Error for MAIL_SIZE and COMPARE_COPIES, which the caller has to resolve instead
 */
export function refusalByRule(row: MessageRow, verdict: RuleVerdict): MessageRefusal {
  const from = ['email', 'from'];
  switch (verdict) {
    case 'TICKET_NOT_FOUND':
      return ticketNotFound();
    case 'MAILBOX_NOT_FOUND': {
      const message = `There is no mailbox ${row.from} that you may send from`;
      return new Refusal(verdict, message, undefined, from);
    }
    case 'MAILBOX_NOT_READY': {
      const message = `The mailbox ${row.from} is disabled or has no SMTP settings`;
      return new Refusal(verdict, message, undefined, from);
    }
    case 'RECIPIENT_MISSING':
      return new Refusal(verdict, "The ticket's requester has no e-mail address", undefined, ['email']);
    case 'MAIL_SIZE':
    case 'COMPARE_COPIES':
      throw new Error(`${verdict} is not a refusal`);
  }
}

/**
 * Makes the refusal for a verdict of the statement. For TICKET_CHANGED it reads which messages the viewer has
 * not seen.
 * @throws Error for MAIL_SIZE, COMPARE_COPIES, LOCKED and LATER, which are not refusals
 */
export async function refusalByVerdict(
  ctx: TicketContext,
  viewer: Viewer,
  row: MessageRow,
  { verdict, ticketId }: LeftOutAnswer,
): Promise<Refusal<CodeOf<'addTicketMessage'>>> {
  switch (verdict) {
    case 'PREVIEW_STALE':
      return previewStale();
    case 'TICKET_CHANGED': {
      const unseenMessageIds = await listMessagesAfter(ctx, viewer, ticketId!, row.ifLastMessage!);
      const message = 'The ticket has messages that you have not seen';
      return new Refusal(verdict, message, { ticketId: ticketId!, unseenMessageIds }, ['ifLastMessage']);
    }
    case 'KEY_TAKEN':
      return keyReused();
    case 'LOCKED':
    case 'LATER':
      throw new Error(`${verdict} is not a refusal`);
    default:
      return refusalByRule(row, verdict);
  }
}

/**
 * The refusal for a row whose earlier uploads were redacted or collected between their lookup and the write:
 * INVALID_INPUT with a problem for each of these uploads, as if the lookup had not found them. Undefined for
 * any other error.
 * @param inputs the message's attachments
 * @param error what the write of the row threw
 */
export async function lostUploads(
  ctx: TicketContext,
  { files = [] }: MessageRow,
  inputs: readonly AttachmentInput[],
  error: unknown,
): Promise<Refusal | undefined> {
  if (brokenConstraint(error) !== 'attachments_blob_key_blobs_key_fk') return undefined;
  const named = files.filter(({ isFresh }) => !isFresh);
  const keys = named.map(({ blobKey }) => blobKey!);
  const rows = await ctx.services.database.desk
    .select({ key: blobs.key })
    .from(blobs)
    .where(inArray(blobs.key, keys));
  const left = new Set(rows.map(({ key }) => key));
  const problems = named
    .filter(({ blobKey }) => !left.has(blobKey!))
    .map(({ position }) => ({
      path: ['attachments', position - 1, ...fileInputOf(inputs[position - 1]!).path, 'upload'],
      message: 'There is no such upload, or it has expired',
    }));
  return problems.length === 0 ? undefined : invalidInput(problems);
}
