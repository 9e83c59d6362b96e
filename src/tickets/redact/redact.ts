import type { Tx } from '../../db/database.ts';
import type { Problem } from '../../platform/errors.ts';
import type { TicketContext } from '../context.ts';
import { requireOperator } from '../policy.ts';
import { invalidInput } from '../refusals.ts';
import { refuse } from '../refused-by.ts';
import { inTransaction } from '../transaction.ts';

export interface Redacted {
  readonly messageId: number;
  /** Somebody did it before: nothing was changed this time. */
  readonly alreadyRedacted: boolean;
}

/** Which message is redacted, whole or in part, and by whom. */
export interface RedactionTarget {
  readonly actorId: number;
  readonly ticketId: number;
  readonly messageId: number;
}

interface RedactionOutcome extends RedactionTarget {
  readonly changed: boolean;
  /** Bytes that no row names any more. */
  readonly blobKeys: readonly string[];
}

/** Characters of a reason, at most: it goes into the audit trail, which stays. */
const maxReason = 1000;

/**
 * What both redactions have in common: who may, one transaction, and the files' bytes once it is committed.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT
 */
export async function redact(
  ctx: TicketContext,
  reason: string | null | undefined,
  run: (tx: Tx, actorId: number) => Promise<RedactionOutcome>,
): Promise<Redacted> {
  const viewer = requireOperator(ctx, 'redact', 'admin');
  const problems = [...reasonProblems(reason ?? '')];
  if (problems.length > 0) throw refuse<'redactMessage' | 'redactAttachment'>(invalidInput(problems));
  const { messageId, changed, blobKeys } = await inTransaction(ctx, (tx) => run(tx, viewer.userId));
  for (const key of blobKeys) {
    // It is redacted whatever the disk says: no row names the bytes, and the collector finds them within
    // hours.
    await ctx.services.blobs
      .remove(key)
      .catch((err) =>
        ctx.log.error(
          { err, requestId: ctx.requestId, messageId },
          'bytes of a redacted file could not be removed yet',
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
    yield { path, message: 'The reason contains what is not a character' };
}
