import type { Viewer } from '../context.ts';
import { Refusal } from '../errors.ts';
import { type Added, addedFrom, replayOf } from './added.ts';
import type { AppendedRow } from './appended-row.ts';
import { storeFiles, withShown } from './attachments.ts';
import type { DeskContext } from './desk.ts';
import { oneAtATime } from './idempotency.ts';
import { type GivenMessageInput, withDefaults } from './input-defaults.ts';
import { lostUploads } from './lost-uploads.ts';
import { expectationOf, mailOf } from './mail.ts';
import type { AddTicketMessageInput } from './message-input.ts';
import type { NewMessageRow } from './new-message-row.ts';
import {
  firstRefusal,
  invalidInput,
  previewStale,
  refusalByInput,
  refusalOf,
  withoutSize,
} from './refusals.ts';
import { rowOf } from './row.ts';
import { refusalOfTaken } from './uploads/find-uploads.ts';
import { pastedFiles, readInput, type WrittenInput } from './written-body.ts';

/**
 * Adds a message to a ticket, and mails it if asked: message, attachments, delivery and event in one commit, or nothing.
 * The one entry of both doors; it owns permission and every rule.
 *
 * @throws Refusal with the first code that applies, in this order: UNAUTHENTICATED, IDEMPOTENCY_KEY_REUSED, TICKET_NOT_FOUND,
 *   FORBIDDEN, INVALID_INPUT with all problems, PRIVATE_WITH_EMAIL, MAILBOX_NOT_FOUND, MAILBOX_NOT_READY, RECIPIENT_MISSING,
 *   ATTACHMENT_TOO_LARGE, EMAIL_TOO_LARGE, TICKET_CHANGED, PREVIEW_STALE
 * @throws Unavailable when the database or the queue is not there; the message may have been written, its key tells
 */
export async function addTicketMessage(ctx: DeskContext, given: GivenMessageInput): Promise<Added> {
  const { viewer } = ctx;
  if (viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'Sign in to add a message');
  const input = withDefaults(given);
  const key = input.idempotencyKey ?? ctx.idempotencyKey;
  return oneAtATime(viewer.userId, key, () => add(ctx, viewer, input, key));
}

async function add(
  ctx: DeskContext,
  viewer: Viewer,
  given: AddTicketMessageInput,
  key: string | undefined,
): Promise<Added> {
  const written = await readInput(ctx, given);
  const { input } = written;
  const refusal = refusalByInput(ctx, viewer, written);
  if (refusal !== undefined) throw await firstRefusal(ctx, viewer, input, key, refusal);

  const brought = [...input.attachments, ...pastedFiles(ctx, written.pasted)];
  const stored = await storeFiles(ctx, viewer.userId, brought).catch(async (error) => {
    throw error instanceof Refusal ? await firstRefusal(ctx, viewer, input, key, error) : error;
  });
  const problems = [...stored.problems, ...stored.attached];
  if (stored.problems.length > 0) throw await firstRefusal(ctx, viewer, input, key, invalidInput(problems));
  const files = ctx.desk.scans
    ? stored.files.map((file) => ({ ...file, scan: 'PENDING' as const }))
    : stored.files;
  const row = rowOf(viewer, input, key, await withShown(input, files), ctx.now());
  if (stored.attached.length > 0) {
    const replayed = await replayOf(ctx, viewer, row, written);
    if (replayed !== undefined) return replayed;
    throw await firstRefusal(ctx, viewer, input, key, invalidInput(problems));
  }
  const asked = await asPreviewed(ctx, viewer, row, written);
  stored.claim();
  try {
    const answer = await append(ctx, viewer, asked, written);
    if (!('replayed' in answer)) return addedFrom(viewer, row, answer, written, ctx.desk.scans);
    stored.release();
    return answer;
  } catch (error) {
    const refused = refusalOfTaken(error, input.attachments) ?? error;
    // After a fault nobody knows whether the commit happened: the files stay until the collector looks.
    if (refused instanceof Refusal) stored.release();
    throw refused;
  }
}

/** Appends the row, or finds the first call of its key. A mail that may be too large by its upper bound is measured. */
async function append(
  ctx: DeskContext,
  viewer: Viewer,
  row: NewMessageRow,
  written: WrittenInput,
): Promise<AppendedRow | Added> {
  const answer = await ctx.desk.writer.write(row).catch(async (error) => {
    throw (await lostUploads(ctx, row, error)) ?? error;
  });
  if (answer.verdict === null) return answer;
  const replayed = await replayOf(ctx, viewer, row, written);
  if (replayed !== undefined) return replayed;
  if (answer.verdict !== 'MAIL_SIZE') throw await refusalOf(ctx, viewer, row, answer.verdict, answer);
  const limitBytes = answer.maxMailBytes!;
  const { byteSize: sizeBytes } = await mailOf(ctx, row);
  if (sizeBytes > limitBytes) {
    const message = `The e-mail would have ${sizeBytes} bytes as encoded; the mailbox takes ${limitBytes}`;
    throw new Refusal('EMAIL_TOO_LARGE', message, { limitBytes, sizeBytes }, ['email']);
  }
  return append(
    ctx,
    viewer,
    { ...row, email: { ...row.email!, mailBytes: sizeBytes, signatureFactor: 0 } },
    written,
  );
}

/**
 * The row with what its mail's preview depends on, for the statement to compare under the ticket's lock.
 * @throws Refusal PREVIEW_STALE when the mail is another one already
 */
async function asPreviewed(
  ctx: DeskContext,
  viewer: Viewer,
  row: NewMessageRow,
  written: WrittenInput,
): Promise<NewMessageRow> {
  const { input } = written;
  if (input.expectPreviewHash == null || row.email === null) return row;
  const [judged] = await ctx.desk.judge(withoutSize(row));
  // Whatever else refuses it goes first, and the statement will say so.
  if (judged!.verdict !== null) return row;
  const { previewHash } = await mailOf(ctx, row);
  if (previewHash === input.expectPreviewHash)
    return { ...row, email: { ...row.email, expect: expectationOf(judged!) } };
  // A repeated call is answered with its first result, whatever has become of the conversation since.
  const replayed = await replayOf(ctx, viewer, row, written);
  if (replayed === undefined) throw previewStale();
  return row;
}
