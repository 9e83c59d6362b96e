import { Refusal } from '../errors.ts';
import type { Envelope } from '../mail/compose.ts';
import { type Warning, warningsOf } from './added.ts';
import { storeFiles } from './attachments.ts';
import type { DeskContext } from './desk.ts';
import { type GivenMessageInput, withDefaults } from './input-defaults.ts';
import { mailOf } from './mail.ts';
import { firstRefusal, invalidInput, refusalByInput, refusalOf, withoutSize } from './refusals.ts';
import { rowOf } from './row.ts';
import { pastedFiles, readInput } from './written-body.ts';

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
  ctx: DeskContext,
  given: GivenMessageInput,
): Promise<MessagePreview> {
  const { viewer } = ctx;
  if (viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'Sign in to preview a message');
  const written = await readInput(ctx, withDefaults(given));
  const { input } = written;
  const problem =
    input.email == null
      ? invalidInput([{ path: ['email'], message: 'Only a message with an e-mail has a preview' }])
      : undefined;
  const refusal = refusalByInput(ctx, viewer, written) ?? problem;
  if (refusal !== undefined) throw await firstRefusal(ctx, viewer, input, undefined, refusal);
  // Claimed by nobody, the files go when the request ends.
  const stored = await storeFiles(ctx, viewer.userId, [
    ...input.attachments,
    ...pastedFiles(ctx, written.pasted),
  ]);
  const wrong = [...stored.problems, ...stored.attached];
  if (wrong.length > 0) throw invalidInput(wrong);
  const row = rowOf(viewer, input, undefined, stored.files, ctx.now());
  const [judged] = await ctx.desk.judge(withoutSize(row));
  if (judged!.verdict !== null) throw await refusalOf(ctx, viewer, row, judged!.verdict, judged!);
  const mail = await mailOf(ctx, row);
  return {
    ...mail,
    limitBytes: judged!.maxMailBytes!,
    warnings: [...written.changes, ...warningsOf(input.email!, judged!.toAddress!)],
  };
}
