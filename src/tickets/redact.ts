import type postgres from 'postgres';
import { asUnavailable } from '../database-faults.ts';
import { type Problem, Refusal } from '../errors.ts';
import { appendEvents } from '../events/append.ts';
import type { Visibility } from '../vocabulary.ts';
import type { DeskContext } from './desk.ts';
import { assertScope, isOperator, requireViewer } from './policy.ts';
import { invalidInput } from './refusals.ts';
import { withdrawMails } from './withdraw-mails.ts';

export interface RedactMessageInput {
  readonly messageId: number;
  readonly reason?: string | null | undefined;
}
export interface RedactAttachmentInput {
  readonly attachmentId: number;
  readonly reason?: string | null | undefined;
}

export interface Redacted {
  readonly messageId: number;
  /** Somebody did it before: nothing was changed this time. */
  readonly alreadyRedacted: boolean;
}

/** Characters of a reason, at most: it goes into the audit trail, which stays. */
const maxReason = 1000;

/**
 * Takes back what a message says: its text and its files are gone, its place stays. A mail of it that has not begun to go out is
 * cancelled, and the kept sources of mails that carry or quote it are deleted; what was sent cannot be called back.
 * The one command behind scope `admin`: it destroys what nobody can restore.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT, MESSAGE_NOT_FOUND
 */
export async function redactMessage(ctx: DeskContext, input: RedactMessageInput): Promise<Redacted> {
  const { messageId } = input;
  return redact(ctx, input.reason, async (tx, actorId) => {
    const [found] = await tx<{ ticketId: number }[]>`
      select ticket_id as "ticketId" from messages where id = ${messageId}`;
    if (found === undefined)
      throw new Refusal('MESSAGE_NOT_FOUND', 'There is no such message', undefined, ['message']);
    const target = { actorId, ticketId: found.ticketId, messageId };
    await lockTicket(tx, target.ticketId);
    const [emptied] = await tx<{ visibility: Visibility }[]>`
      update messages set body = '', redacted_at = clock_timestamp() where id = ${messageId} and redacted_at is null
      returning visibility`;
    if (emptied === undefined) return { ...target, changed: false, blobKeys: [] };
    const files = await tx<{ id: number }[]>`
      select id from attachments where message_id = ${messageId} and redacted_at is null`;
    const blobKeys = await eraseFiles(
      tx,
      files.map(({ id }) => id),
    );
    const quoted = emptied.visibility === 'PUBLIC';
    await record(tx, target, {
      action: 'MESSAGE_REDACTED',
      details: { reason: input.reason ?? null },
      visibility: emptied.visibility,
      quoted,
    });
    return { ...target, changed: true, blobKeys };
  });
}

/**
 * Takes back one file of a message; the others and the text stay. Mails are dealt with as for a message.
 * @throws Refusal UNAUTHENTICATED, FORBIDDEN, INVALID_INPUT, ATTACHMENT_NOT_FOUND
 */
export async function redactAttachment(ctx: DeskContext, input: RedactAttachmentInput): Promise<Redacted> {
  const { attachmentId } = input;
  return redact(ctx, input.reason, async (tx, actorId) => {
    const [found] = await tx<{ messageId: number; ticketId: number; visibility: Visibility }[]>`
      select m.id as "messageId", m.ticket_id as "ticketId", m.visibility
      from attachments a join messages m on m.id = a.message_id where a.id = ${attachmentId}`;
    if (found === undefined)
      throw new Refusal('ATTACHMENT_NOT_FOUND', 'There is no such attachment', undefined, ['attachment']);
    const { visibility, ...place } = found;
    const target = { actorId, ...place };
    await lockTicket(tx, target.ticketId);
    const [file] = await tx`select from attachments where id = ${attachmentId} and redacted_at is null`;
    if (file === undefined) return { ...target, changed: false, blobKeys: [] };
    const blobKeys = await eraseFiles(tx, [attachmentId]);
    await record(tx, target, {
      action: 'ATTACHMENT_REDACTED',
      details: { reason: input.reason ?? null, attachmentId },
      visibility,
      // A picture in the text is repeated with it.
      quoted: visibility === 'PUBLIC',
    });
    return { ...target, changed: true, blobKeys };
  });
}

interface Target {
  readonly actorId: number;
  readonly ticketId: number;
  readonly messageId: number;
}
interface Outcome extends Target {
  readonly changed: boolean;
  /** Bytes that no row names any more. */
  readonly blobKeys: readonly string[];
}

async function redact(
  ctx: DeskContext,
  reason: string | null | undefined,
  run: (tx: postgres.Sql, actorId: number) => Promise<Outcome>,
): Promise<Redacted> {
  const viewer = requireViewer(ctx);
  if (!isOperator(viewer)) throw new Refusal('FORBIDDEN', 'Only operators may redact');
  assertScope(viewer, 'admin');
  const problems = [...reasonProblems(reason ?? '')];
  if (problems.length > 0) throw invalidInput(problems);
  const { messageId, changed, blobKeys } = (await ctx.desk.database.raw
    .begin((tx) => run(tx as unknown as postgres.Sql, viewer.userId))
    .catch((error) => {
      throw asUnavailable(error);
    })) as Outcome;
  for (const key of blobKeys) {
    // It is redacted whatever the disk says: no row names the bytes, and the collector finds them within hours.
    await ctx.desk.blobs
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

/** Everything that changes a ticket's conversation takes turns here; what is read after it is fresh. */
async function lockTicket(tx: postgres.Sql, ticketId: number): Promise<void> {
  await tx`select from tickets where id = ${ticketId} for no key update`;
}

/**
 * Leaves files' places and sizes, and nothing that tells what was in them: not the name, not the type, and not the digest, by which
 * a short file could be guessed. An upload of the same bytes goes as well; another message's file of them stays.
 * @returns keys of the blobs that nothing names any more
 */
async function eraseFiles(tx: postgres.Sql, attachmentIds: readonly number[]): Promise<string[]> {
  if (attachmentIds.length === 0) return [];
  const named = await tx<{ key: string }[]>`
    select b.key from blobs b where b.key in (select blob_key from attachments where id = any (${attachmentIds}::int[]))
    order by b.key for update`;
  const keys = named.map(({ key }) => key);
  await tx`
    update attachments set blob_key = null, redacted_at = clock_timestamp(), file_name = 'redacted-' || position,
      content_type = 'application/octet-stream', sha256 = '', content_id = null, scan = null, scan_due_at = null, scan_found = null
    where id = any (${attachmentIds}::int[])`;
  await tx`delete from uploads where blob_key = any (${keys}::text[])`;
  const gone = await tx<{ key: string }[]>`
    delete from blobs b where b.key = any (${keys}::text[]) and not exists (select from attachments a where a.blob_key = b.key)
    returning b.key`;
  return gone.map(({ key }) => key);
}

interface Deed {
  readonly action: 'MESSAGE_REDACTED' | 'ATTACHMENT_REDACTED';
  readonly details: Readonly<Record<string, string | number | null>>;
  readonly visibility: Visibility;
  /** Whether later mails may repeat what is gone. */
  readonly quoted: boolean;
}

/** The audit entry, the mails and the events: the redaction first, for whoever may see the message; then what became of its mail. */
async function record(tx: postgres.Sql, target: Target, deed: Deed): Promise<void> {
  const { actorId, ticketId, messageId } = target;
  const cancelled = await withdrawMails(tx, { ticketId, messageId, quoted: deed.quoted });
  await tx`
    insert into audit_entries (actor_id, action, ticket_id, message_id, details)
    values (${actorId}, ${deed.action}, ${ticketId}, ${messageId}, ${JSON.stringify(deed.details)}::text::jsonb)`;
  const common = { actorId, messageId };
  await appendEvents(tx, ticketId, [
    { ...common, type: 'MESSAGE_REDACTED', visibility: deed.visibility, deliveryId: null },
    ...cancelled.map((deliveryId) => ({
      ...common,
      type: 'DELIVERY_CANCELLED' as const,
      visibility: 'PRIVATE' as const,
      deliveryId,
    })),
  ]);
}
