import type { ExecutionResult } from 'graphql';
import { Unavailable } from '../platform/errors.ts';
import type { RequestContext } from '../platform/request-context.ts';
import { describeRefusal, statusOf, ticketNotFound } from './describe-refusal.ts';
import type { Representation } from './dotnet/negotiation.ts';
import type { NewMessagePost } from './dotnet/new-message-post.ts';
import type { Operations, RefusalData, StoredOperation } from './load-operations.ts';
import { errorReply, type LegacyReply, resultReply, texts } from './reply.ts';
import { ticketOf, translate } from './translate-input.ts';

/** Executes a stored operation against our own schema, in this process. */
export type Execute = <V, D>(
  operation: StoredOperation<D, V>,
  variables: V,
  context: RequestContext,
) => Promise<ExecutionResult<D>>;

/**
 * Carries out NewMessage: turns a bound post into one mutation, and its result into a reply of the old
 * service: 200 with the message's id, or the status of the refusal. A post that names its ticket by id and
 * reference is preceded by a query that checks that both name the same one. Without a post, a ticket, or such
 * a match the reply is 400. Declared lengths of files that differ from the data are logged and otherwise
 * ignored.
 * @throws Unavailable when the database does not respond; any other first error of the execution as it is,
 *   which may be a refusal (`statusOfError`)
 */
export async function executeNewMessage(
  post: NewMessagePost | null,
  as: Representation,
  context: RequestContext,
  { execute, operations }: { execute: Execute; operations: Operations },
): Promise<LegacyReply> {
  if (!post) return errorReply(400, as, texts.noBody);
  const named = ticketOf(post);
  if (!named) return errorReply(400, as, texts.noTicket);
  noteLengths(post, context);
  if (named.both) {
    const { byId, byReference } = dataOf(await execute(operations.findTicket, named.both, context));
    if (!byId || byId.ticketId !== byReference?.ticketId) return errorReply(400, as, ticketNotFound);
  }
  const { variables, memberOf } = translate(post, named.ticket, context.receive);
  const { addTicketMessage: result } = dataOf(await execute(operations.addMessage, variables, context));
  if ('replayed' in result) {
    return resultReply(
      as,
      result.ticketMessage.messageId,
      result.replayed ? { 'Idempotency-Replayed': 'true' } : {},
    );
  }
  return refuse(result, as, memberOf);
}

function refuse(
  refusal: RefusalData,
  as: Representation,
  memberOf: (path: readonly string[]) => string,
): LegacyReply {
  const status = statusOf(refusal);
  const message = status === 401 ? texts.unauthorized : describeRefusal(refusal, memberOf);
  const headers = 'retryAfterSeconds' in refusal ? { 'Retry-After': refusal.retryAfterSeconds } : undefined;
  return errorReply(status, as, message, headers);
}

/**
 * @throws Unavailable for UNAVAILABLE; otherwise the first error, which may be a refusal (`statusOfError`)
 */
function dataOf<D>({ data, errors }: ExecutionResult<D>): D {
  const [error] = errors ?? [];
  if (!error && data) return data;
  if (error?.extensions.code !== 'UNAVAILABLE') throw error ?? new Error('no data and no errors');
  const http = error.extensions.http as { headers?: Record<string, string> } | undefined;
  const nothingWritten = error.extensions.nothingWritten === true;
  throw new Unavailable('the database', Number(http?.headers?.['Retry-After'] ?? 1), { nothingWritten });
}

/**
 * Logs declared lengths that differ from the data, and ignores them otherwise: the one public client does not
 * compute them from the data.
 */
function noteLengths({ Attachments }: NewMessagePost, { log, requestId }: RequestContext): void {
  for (const [i, attachment] of (Attachments ?? []).entries()) {
    if (!attachment || attachment.ContentLength === 0) continue;
    const { ContentLength: declared, Data } = attachment;
    if (declared !== (Data?.size ?? 0))
      log.info({ requestId, attachment: i, declared, received: Data?.size ?? 0 }, 'ContentLength differs');
  }
}
