import type { Envelope } from '../../mail/compose/mail.ts';
import { Refusal } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../refusals.ts';
import { refuse } from '../refused-by.ts';
import { draftMessage } from './draft.ts';
import { type AddTicketMessageInput, type ReadMessage, readMessage } from './input.ts';
import { mailOf } from './mail.ts';
import { refusalBehindTicket, refusalByRule } from './refusals.ts';
import { type Warning, warningsOf } from './result.ts';
import { forDryRun } from './row.ts';

/** The mail that a message would become. */
export interface MessagePreview {
  readonly envelope: Envelope;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** As encoded, bytes; held against the mailbox's limit. */
  readonly byteSize: number;
  readonly limitBytes: number;
  readonly warnings: readonly Warning[];
  /** For `expectPreviewHash`: exactly this mail is sent, or none. */
  readonly previewHash: string;
}

/**
 * Composes the mail of a message as it would be sent now; nothing is stored and nothing is sent.
 * @throws Refusal as addTicketMessage does, but for sizes of the mail, TICKET_CHANGED and keys
 */
export async function previewTicketMessage(
  ctx: TicketContext,
  given: AddTicketMessageInput,
): Promise<MessagePreview> {
  const { viewer } = ctx;
  if (viewer === undefined)
    throw refuse<'previewTicketMessage'>(new Refusal('UNAUTHENTICATED', 'Sign in to preview a message'));
  const read = mailed(await readMessage(ctx, given));
  // Claimed by nobody, the files go when the request ends.
  const { row, stored } = await draftMessage(ctx, viewer, read, async (found) => {
    throw refuse<'previewTicketMessage'>(await refusalBehindTicket(ctx, viewer, read.message, found));
  });
  if (stored.attached.length > 0) throw refuse<'previewTicketMessage'>(invalidInput(stored.attached));
  const judged = await ctx.services.dryRun(forDryRun(row));
  if (judged.verdict !== null) throw refuse<'previewTicketMessage'>(refusalByRule(row, judged.verdict));
  const mail = await mailOf(ctx, row, judged);
  return { ...mail, limitBytes: judged.maxMailBytes!, warnings: warningsOf(read, judged.toAddress) };
}

/** What adding would repeat is not asked for its key: a preview is the same each time. */
function mailed(read: ReadMessage): ReadMessage {
  const message = { ...read.message, idempotencyKey: null };
  const missing = { path: ['email'], message: 'Only a message with an e-mail has a preview' };
  const problems = message.email === null ? [...read.problems, missing] : read.problems;
  return { ...read, message, problems };
}
