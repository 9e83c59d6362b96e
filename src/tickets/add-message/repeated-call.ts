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
 * The result of the call that an input repeats although it is refused now: limits were narrowed, or the
 * credential has fewer rights than the first one. A limit is judged when a message is added, not when its
 * call is repeated. A file that is too large was not read whole, so such a call cannot be compared.
 * @param refused why the call was refused
 * @throws Refusal IDEMPOTENCY_KEY_REUSED for another input, FORBIDDEN, or `refused`
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

/** The requests themselves stay bounded: their bodies and files were read before, under the limits of now. */
const withoutLimits = (ctx: TicketContext): TicketContext => ({
  ...ctx,
  services: { ...ctx.services, limits: { ...ctx.services.limits, ...unbounded } },
});
