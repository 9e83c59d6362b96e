import { Refusal } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../invalid-input.ts';
import { refuse } from '../refusals-by-command.ts';
import { refusalIfJustAttached } from '../uploads/find-to-attach.ts';
import { forDryRun, rowOf, withoutCopiesTo } from './build-row.ts';
import type { MessageRow } from './columns.ts';
import type { RowAnswer } from './commit/append-statement.ts';
import { assertOneCommand, oneAtATime } from './idempotency.ts';
import { type AddTicketMessageInput, type ParsedMessage, parseMessage } from './input.ts';
import { expectationOf, previewOf } from './preview-mail.ts';
import {
  firstRefusal,
  lostUploads,
  type MessageRefusal,
  previewStale,
  refusalByInput,
  refusalByRule,
  refusalByVerdict,
} from './refusals.ts';
import { replayRefusedCall } from './replay-refused-call.ts';
import { type Added, addedFrom, replayOf } from './result.ts';
import { type StoredFiles, storeFiles } from './store-files.ts';

/**
 * Adds a message to a ticket, and queues its mail when the input has an e-mail. Message, attachments,
 * delivery and event are written in one commit, before this resolves; a worker sends the mail later. GraphQL
 * and the legacy endpoint both call this function, which checks permissions and every rule.
 *
 * @param commands number of mutations in the request, 1 by default. With several, an Idempotency-Key header
 *   is refused (INVALID_INPUT) before the input is read.
 * @returns the message with its ticket, attachments and delivery. If the same user has made the same call
 *   with this idempotency key before, nothing is written, and the result has the first call's message and
 *   `replayed`
 * @throws Refusal with the first code that applies, in this order: UNAUTHENTICATED, IDEMPOTENCY_KEY_REUSED,
 *   TICKET_NOT_FOUND, FORBIDDEN, INVALID_INPUT with all problems, PRIVATE_WITH_EMAIL, MAILBOX_NOT_FOUND,
 *   MAILBOX_NOT_READY, RECIPIENT_MISSING, ATTACHMENT_TOO_LARGE, EMAIL_TOO_LARGE, TICKET_CHANGED,
 *   PREVIEW_STALE. A repeated call that can be compared is refused only as `replayOf` says: TICKET_NOT_FOUND
 *   comes first when the viewer sees neither the ticket nor the first call's message
 * @throws Unavailable when the database or the file store does not answer, the queue is full, or too many
 *   large bodies wait to be read. Unless it says `nothingWritten`, the message may have been written; a retry
 *   with the same idempotency key finds out.
 */
export async function addTicketMessage(
  ctx: TicketContext,
  given: AddTicketMessageInput,
  commands = 1,
): Promise<Added> {
  const { viewer } = ctx;
  if (viewer === undefined)
    throw refuse<'addTicketMessage'>(new Refusal('UNAUTHENTICATED', 'Sign in to add a message'));
  assertOneCommand(ctx, commands);
  const read = await parseMessage(ctx, given);
  return add(ctx, viewer, read).catch((refused) => replayRefusedCall(ctx, viewer, given, refused));
}

async function add(ctx: TicketContext, viewer: Viewer, read: ParsedMessage): Promise<Added> {
  const refuseFirst = async (found: MessageRefusal): Promise<never> => {
    throw refuse<'addTicketMessage'>(await firstRefusal(ctx, viewer, read.message, found));
  };
  const draft = await draftMessage(ctx, viewer, read, refuseFirst);
  const { row, stored } = draft;
  if (stored.attached.length > 0) {
    const replayed = await replayOf(ctx, viewer, row, read);
    if (replayed !== undefined) return replayed;
    return refuseFirst(invalidInput(stored.attached));
  }
  // Not before its files are here: a sender who is stuck would hold up those who repeat the call.
  return oneAtATime(viewer.userId, read.message.idempotencyKey, () => write(ctx, viewer, draft, read));
}

async function write(
  ctx: TicketContext,
  viewer: Viewer,
  { row, stored }: Draft,
  read: ParsedMessage,
): Promise<Added> {
  const { expectPreviewHash } = read.message;
  const asked = expectPreviewHash === null ? row : await asPreviewed(ctx, viewer, row, read);
  stored.claim();
  try {
    const result = await append(ctx, viewer, asked, read);
    if (result.replayed) stored.release();
    return result;
  } catch (error) {
    const refused = refusalIfJustAttached(error, read.message.attachments) ?? error;
    // After a fault it is unknown whether the commit happened. The files stay until garbage collection.
    if (refused instanceof Refusal) stored.release();
    throw refused;
  }
}

/**
 * A message that passed every rule that needs no ticket, with its stored files, which are not claimed yet.
 * The caller has to refuse it if `stored.attached` is not empty: these uploads belong to other messages
 * already.
 */
export interface Draft {
  readonly row: MessageRow;
  readonly stored: StoredFiles;
}

/**
 * The part that adding a message and previewing it share: checks the input and the viewer's permissions,
 * stores the files and builds the row. Writes nothing to the database.
 * @param refuseFirst called with a refusal that was found; must reject with it, or with one that takes
 *   precedence over it
 * @throws what `refuseFirst` rejects with; faults of the file store and the database
 */
export async function draftMessage(
  ctx: TicketContext,
  viewer: Viewer,
  read: ParsedMessage,
  refuseFirst: (found: MessageRefusal) => Promise<never>,
): Promise<Draft> {
  const refusal = refusalByInput(viewer, read);
  if (refusal !== undefined) return refuseFirst(refusal);
  const stored = await storeFiles(ctx, viewer.userId, read).catch((error) => {
    if (error instanceof Refusal) return refuseFirst(error as MessageRefusal);
    throw error;
  });
  const { problems, attached } = stored;
  if (problems.length > 0) return refuseFirst(invalidInput([...problems, ...attached]));
  return { stored, row: rowOf(viewer, read.message, stored.files, ctx.now()) };
}

/**
 * Appends the row, or returns the result of the first call with its key. When the upper bound of the mail's
 * size exceeds the limit, the mail is composed and measured.
 * @param isKeyTaken whether the row's key was taken before, by a message that was not there
 */
async function append(
  ctx: TicketContext,
  viewer: Viewer,
  row: MessageRow,
  read: ParsedMessage,
  isKeyTaken = false,
): Promise<Added> {
  const answer = await ctx.services.groupCommit.append(row).catch(async (error) => {
    throw (await lostUploads(ctx, row, read.message.attachments, error)) ?? error;
  });
  if (answer.verdict === null) return addedFrom(row, answer, read, ctx.services.scans);
  const replayed = await replayOf(ctx, viewer, row, read);
  if (replayed !== undefined) return replayed;
  if (answer.verdict === 'MAIL_SIZE') return append(ctx, viewer, await measured(ctx, row, answer), read);
  if (answer.verdict === 'COMPARE_COPIES')
    return append(ctx, viewer, withoutCopiesTo(row, read.message.email!.copies, answer.toAddress!), read);
  // The key may have expired between the two statements. If it has not, its message was deleted.
  if (answer.verdict === 'KEY_TAKEN' && !isKeyTaken) return append(ctx, viewer, row, read, true);
  throw refuse<'addTicketMessage'>(await refusalByVerdict(ctx, viewer, row, answer));
}

/**
 * The row with its mail's exact size.
 * @throws Refusal EMAIL_TOO_LARGE, or that of a rule which refuses the row by now
 */
async function measured(ctx: TicketContext, row: MessageRow, leftOut: RowAnswer): Promise<MessageRow> {
  const limitBytes = leftOut.maxMailBytes!;
  const answer = await ctx.services.dryRun(forDryRun(row));
  if (answer.verdict !== null) throw refuse<'addTicketMessage'>(refusalByRule(row, answer.verdict));
  const { byteSize: sizeBytes } = await previewOf(ctx, row, answer);
  if (sizeBytes > limitBytes) {
    const message = `The encoded e-mail would be ${sizeBytes} bytes; the mailbox takes at most ${limitBytes}`;
    throw refuse<'addTicketMessage'>(
      new Refusal('EMAIL_TOO_LARGE', message, { limitBytes, sizeBytes }, ['email']),
    );
  }
  return { ...row, mailBytes: sizeBytes, signatureFactor: 0 };
}

/**
 * The row with what its previewed mail took from the database. The statement compares it under the ticket's
 * lock.
 * @throws Refusal PREVIEW_STALE when the mail has changed already and the call repeats none; the refusals of
 *   `replayOf`
 */
async function asPreviewed(
  ctx: TicketContext,
  viewer: Viewer,
  row: MessageRow,
  read: ParsedMessage,
): Promise<MessageRow> {
  const answer = await ctx.services.dryRun(forDryRun(row));
  // Another rule refuses first. The statement will answer with it.
  if (answer.verdict !== null) return row;
  const { previewHash } = await previewOf(ctx, row, answer);
  if (previewHash === read.message.expectPreviewHash) return { ...row, expect: expectationOf(answer) };
  // A repeated call returns its first result, even when the conversation has changed since.
  const replayed = await replayOf(ctx, viewer, row, read);
  if (replayed === undefined) throw refuse<'addTicketMessage'>(previewStale());
  return row;
}
