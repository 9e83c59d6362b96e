import { Refusal } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { invalidInput } from '../refusals.ts';
import { pastedFiles } from './body.ts';
import type { MessageRow } from './commit/columns.ts';
import type { ReadMessage } from './input.ts';
import { refusalByInput, type WriterRefusal } from './refusals.ts';
import { rowOf } from './row.ts';
import { type StoredFiles, storeFiles, withShown } from './store-files.ts';

/** A message that passed every rule that needs no ticket, with its stored files. */
export interface Draft {
  readonly row: MessageRow;
  readonly stored: StoredFiles;
}

/**
 * The part that adding a message and previewing it share: checks the input, stores the files and builds the
 * row.
 * @param refuseFirst called with a refusal that was found; throws the one that takes precedence over it, or
 *   that one
 * @throws Refusal
 */
export async function draftMessage(
  ctx: TicketContext,
  viewer: Viewer,
  read: ReadMessage,
  refuseFirst: (found: WriterRefusal) => Promise<never>,
): Promise<Draft> {
  const { message } = read;
  const refusal = refusalByInput(viewer, read);
  if (refusal !== undefined) return refuseFirst(refusal);
  const brought = [...message.attachments, ...pastedFiles(ctx, read.pasted)];
  const stored = await storeFiles(ctx, viewer.userId, brought).catch((error) => {
    if (error instanceof Refusal) return refuseFirst(error as WriterRefusal);
    throw error;
  });
  const { problems, attached } = stored;
  if (problems.length > 0) return refuseFirst(invalidInput([...problems, ...attached]));
  const shown = await withShown(message, stored.files);
  const files = ctx.services.scans ? shown.map((file) => ({ ...file, scan: 'PENDING' as const })) : shown;
  return { stored, row: rowOf(viewer, message, files, ctx.now()) };
}
