import type { Tx } from '../../db/database.ts';
import type { Problem } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { noteRedaction } from '../events/last-redaction.ts';
import { invalidInput } from '../invalid-input.ts';
import { requireOperator } from '../permissions.ts';
import { refuse } from '../refusals-by-command.ts';
import { inTransaction } from '../transaction.ts';

/** Result of a redaction. */
export interface Redacted {
  /** The message that was redacted, or whose file was. */
  readonly messageId: number;
  /** True: the message or file had been redacted before, and nothing changed this time. */
  readonly alreadyRedacted: boolean;
}

/** The message that is redacted, wholly or by a file, its ticket, and the operator who redacts it. */
export interface RedactionTarget {
  readonly actorId: number;
  readonly ticketId: number;
  readonly messageId: number;
}

interface RedactionOutcome extends RedactionTarget {
  readonly changed: boolean;
  /** Blobs that no row references any more. */
  readonly blobKeys: readonly string[];
}

/** Longest reason, in characters. It goes into the audit trail for good. */
const maxReason = 1000;

/**
 * Runs a redaction: checks the permission and the reason, calls `run` in one transaction, and removes the
 * files' bytes after the commit. If bytes cannot be removed, it logs that and leaves them to garbage
 * collection; the redaction has succeeded.
 * @param run redacts in the transaction as the operator `actorId`. Returns what was redacted, whether
 *   anything changed, and the keys of the blobs to remove
 * @throws Refusal UNAUTHENTICATED; FORBIDDEN for requesters and without the scope `admin`; INVALID_INPUT for
 *   a reason of more than 1,000 characters or with U+0000 or a lone surrogate; the refusals of `run`
 * @throws Unavailable as `inTransaction`
 */
export async function runRedaction(
  ctx: TicketContext,
  reason: string | null | undefined,
  run: (tx: Tx, actorId: number) => Promise<RedactionOutcome>,
): Promise<Redacted> {
  const viewer = requireOperator(ctx, 'redact', 'admin');
  const problems = [...reasonProblems(reason ?? '')];
  if (problems.length > 0) throw refuse<'redactMessage' | 'redactAttachment'>(invalidInput(problems));
  const { messageId, changed, blobKeys } = await inTransaction(ctx, (tx) => run(tx, viewer.userId));
  if (changed) noteRedaction();
  for (const key of blobKeys) {
    // The redaction stands even if this fails. No row references the bytes, so garbage collection removes
    // them within hours.
    await ctx.services.blobs
      .remove(key)
      .catch((err) =>
        ctx.log.error(
          { err, requestId: ctx.requestId, messageId },
          'removing the bytes of a redacted file failed; garbage collection will remove them',
        ),
      );
  }
  return { messageId, alreadyRedacted: !changed };
}

function* reasonProblems(reason: string): Iterable<Problem> {
  const path = ['reason'];
  if (reason.length > maxReason)
    yield { path, message: `The reason has ${reason.length} characters; ${maxReason} are allowed` };
  if (reason.includes('\0') || !reason.isWellFormed())
    yield { path, message: 'The reason contains an invalid character' };
}
