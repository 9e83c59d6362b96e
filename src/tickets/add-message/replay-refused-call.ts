import { Refusal } from '../../platform/errors.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { TicketContext } from '../context.ts';
import { whyNotWrite } from '../permissions.ts';
import { refuse } from '../refusals-by-command.ts';
import { rowOf } from './build-row.ts';
import { type AddTicketMessageInput, parseMessage } from './input.ts';
import { type Added, replayOf } from './result.ts';
import { storeFiles } from './store-files.ts';

/**
 * Checks whether a call that was refused with IDEMPOTENCY_KEY_REUSED repeats the first call after all: limits
 * on sizes may have been lowered since, or the credential may have fewer rights. If so, returns the first
 * call's result as `replayOf` does, because a limit applies when a message is added, not when its call is
 * repeated. A file that is too large was not read whole, so a call with one cannot be compared. Nothing is
 * added.
 * @param refused what the call threw. Anything but IDEMPOTENCY_KEY_REUSED is thrown again
 * @throws Refusal FORBIDDEN when it is the same call but the viewer may no longer write such a message;
 *   TICKET_NOT_FOUND when they see neither the ticket that is named nor the first call's message; otherwise
 *   IDEMPOTENCY_KEY_REUSED, also when the input cannot be read whole
 * @throws the error of the database when it cannot be read
 */
export async function replayRefusedCall(
  ctx: TicketContext,
  viewer: Viewer,
  given: AddTicketMessageInput,
  refused: unknown,
): Promise<Added> {
  if (!(refused instanceof Refusal) || refused.code !== 'IDEMPOTENCY_KEY_REUSED') throw refused;
  const unlimited = withoutLimits(ctx);
  const read = await parseMessage(unlimited, given);
  if (read.problems.length > 0) throw refused;
  const { files, problems } = await storeFiles(unlimited, viewer.userId, read).catch(() => {
    throw refused;
  });
  if (problems.length > 0) throw refused;
  const row = rowOf(viewer, read.message, files, ctx.now());
  const first = await replayOf(unlimited, viewer, row, read);
  if (first === undefined) throw refused;
  const forbidden = whyNotWrite(viewer, read.message);
  if (forbidden !== undefined) throw refuse<'addTicketMessage'>(forbidden);
  return first;
}

/** More than any setting allows, and PostgreSQL's largest `integer`. */
const most = 2 ** 31 - 1;
const unbounded = { bodyBytes: most, attachmentBytes: most, messageAttachmentsBytes: most };

/** This cannot admit larger requests: their bodies and files were already read under the current limits. */
const withoutLimits = (ctx: TicketContext): TicketContext => ({
  ...ctx,
  services: { ...ctx.services, limits: { ...ctx.services.limits, ...unbounded } },
});
