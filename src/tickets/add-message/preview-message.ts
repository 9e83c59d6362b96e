import type { Envelope } from '../../mail/compose/compose-mail.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../invalid-input.ts';
import { refuse } from '../refusals-by-command.ts';
import { forDryRun } from './build-row.ts';
import { draftMessage } from './command.ts';
import { type AddTicketMessageInput, type ParsedMessage, parseMessage } from './input.ts';
import { previewOf } from './preview-mail.ts';
import { precedingRefusal, refusalByRule } from './refusals.ts';
import { type Warning, warningsOf } from './result.ts';

/** The mail that a message would be sent as, with its signature and quotations. */
export interface MessagePreview {
  readonly envelope: Envelope;
  readonly subject: string;
  /** The plain text part. */
  readonly text: string;
  /** The HTML part. */
  readonly html: string;
  /** Encoded size in bytes, which the mailbox's limit applies to. */
  readonly byteSize: number;
  /** The mailbox's limit, in bytes. */
  readonly limitBytes: number;
  readonly warnings: readonly Warning[];
  /** 64 hexadecimal digits for `expectPreviewHash`, which sends exactly this mail or none. */
  readonly previewHash: string;
}

/**
 * Composes the mail of a message as it would be sent now, and sends nothing. No row is written. The files of
 * the request are stored only until it ends. A mail above `limitBytes` is previewed, not refused.
 * @param given the input of `addTicketMessage`, with an e-mail. `expectPreviewHash`, `ifLastMessage` and an
 *   idempotency key are checked for their form and for permission, and have no effect otherwise
 * @throws Refusal UNAUTHENTICATED, TICKET_NOT_FOUND, FORBIDDEN, INVALID_INPUT (also without an e-mail),
 *   PRIVATE_WITH_EMAIL, MAILBOX_NOT_FOUND, MAILBOX_NOT_READY, RECIPIENT_MISSING, ATTACHMENT_TOO_LARGE
 * @throws Unavailable when the file store does not answer or too many large bodies wait to be read;
 *   Unavailable or an error of the driver when the database does not answer
 */
export async function previewTicketMessage(
  ctx: TicketContext,
  given: AddTicketMessageInput,
): Promise<MessagePreview> {
  const { viewer } = ctx;
  if (viewer === undefined)
    throw refuse<'previewTicketMessage'>(new Refusal('UNAUTHENTICATED', 'Sign in to preview a message'));
  const read = mailed(await parseMessage(ctx, given));
  // The files are not claimed, so they are removed when the request ends.
  const { row, stored } = await draftMessage(ctx, viewer, read, async (found) => {
    throw refuse<'previewTicketMessage'>(await precedingRefusal(ctx, viewer, read.message, found));
  });
  if (stored.attached.length > 0) throw refuse<'previewTicketMessage'>(invalidInput(stored.attached));
  const answer = await ctx.services.dryRun(forDryRun(row));
  if (answer.verdict !== null) throw refuse<'previewTicketMessage'>(refusalByRule(row, answer.verdict));
  const mail = await previewOf(ctx, row, answer);
  return { ...mail, limitBytes: answer.maxMailBytes!, warnings: warningsOf(read, answer.toAddress) };
}

/** Drops the idempotency key, which has no meaning for a preview, and requires an e-mail. */
function mailed(read: ParsedMessage): ParsedMessage {
  const message = { ...read.message, idempotencyKey: null };
  const missing = { path: ['email'], message: 'Only a message with an e-mail has a preview' };
  const problems = message.email === null ? [...read.problems, missing] : read.problems;
  return { ...read, message, problems };
}
