import { randomUUID } from 'node:crypto';
import type { Viewer } from '../context.ts';
import { Refusal } from '../errors.ts';
import { decodeGlobalId } from '../global-id.ts';
import { type Added, addedFrom, keyReused, replayOf } from './added.ts';
import type { AppendedRow, NewFile, NewMessageRow, Verdict } from './append-statement.ts';
import { keepFiles } from './attachments.ts';
import type { DeskContext } from './desk.ts';
import { findKey, fingerprintOf, oneAtATime } from './idempotency.ts';
import { mailBytesUpperBound, mailOf } from './mail.ts';
import { listMessagesAfter } from './message.ts';
import { type AddTicketMessageInput, copiesOf, inputProblems, isKey } from './message-input.ts';
import { isOperator, whyNotWrite } from './policy.ts';
import { resolveSelector } from './selector.ts';

/**
 * Adds a message to a ticket, and mails it if asked: message, attachments, delivery and event in one commit, or nothing.
 * The one entry of both doors; it owns permission and every rule.
 *
 * @throws Refusal with the first code of PRODUCT.md §7's order that applies; Unavailable when the database or the queue is not there.
 */
export async function addTicketMessage(ctx: DeskContext, input: AddTicketMessageInput): Promise<Added> {
  const { viewer } = ctx;
  if (viewer === undefined) throw new Refusal('UNAUTHENTICATED', 'Sign in to add a message');
  const key = input.idempotencyKey ?? ctx.idempotencyKey;
  return oneAtATime(viewer.userId, key, () => add(ctx, viewer, input, key));
}

async function add(
  ctx: DeskContext,
  viewer: Viewer,
  input: AddTicketMessageInput,
  key: string | undefined,
): Promise<Added> {
  const refusal = refusalByInput(ctx, viewer, input);
  if (refusal !== undefined) throw await firstRefusal(ctx, viewer, input, key, refusal);

  const kept = await keepFiles(ctx, viewer.userId, input.attachments).catch(async (error) => {
    throw error instanceof Refusal ? await firstRefusal(ctx, viewer, input, key, error) : error;
  });
  let appended = false;
  try {
    if (kept.problems.length > 0)
      throw await firstRefusal(ctx, viewer, input, key, invalidInput(kept.problems));
    const row = rowOf(viewer, input, key, kept.files);
    const answer = await append(ctx, viewer, row, input);
    if ('replayed' in answer) return answer;
    appended = true;
    return addedFrom(viewer, row, answer, input);
  } finally {
    if (!appended) await kept.discard();
  }
}

/** Appends the row, or finds the first call of its key. A mail that may be too large by its upper bound is measured. */
async function append(
  ctx: DeskContext,
  viewer: Viewer,
  row: NewMessageRow,
  input: AddTicketMessageInput,
): Promise<AppendedRow | Added> {
  const answer = await ctx.desk.writer.write(row);
  if (answer.verdict === null) return answer;
  const replayed = await replayOf(ctx, viewer, row, input);
  if (replayed !== undefined) return replayed;
  if (answer.verdict !== 'MAIL_SIZE') throw await refusalOf(ctx, viewer, row, answer.verdict, answer);
  const limitBytes = answer.maxMailBytes!;
  const sizeBytes = (await mailOf(ctx, row)).byteSize;
  if (sizeBytes > limitBytes) {
    const message = `The e-mail would have ${sizeBytes} bytes as encoded; the mailbox takes ${limitBytes}`;
    throw new Refusal('EMAIL_TOO_LARGE', message, { limitBytes, sizeBytes }, ['email']);
  }
  return append(
    ctx,
    viewer,
    { ...row, email: { ...row.email!, mailBytes: sizeBytes, signatureFactor: 0 } },
    input,
  );
}

/** The first refusal that the input alone explains; whether the ticket is there goes before any of these. */
function refusalByInput(ctx: DeskContext, viewer: Viewer, input: AddTicketMessageInput): Refusal | undefined {
  const forbidden = whyNotWrite(viewer, { visibility: input.visibility, email: input.email != null });
  if (forbidden !== undefined) return forbidden;
  const problems = inputProblems(input, ctx.desk.limits, ctx.idempotencyKey);
  if (problems.length > 0) return invalidInput(problems);
  if (input.visibility === 'PRIVATE' && input.email != null) {
    return new Refusal('PRIVATE_WITH_EMAIL', 'A private message cannot be sent as an e-mail', undefined, [
      'email',
    ]);
  }
  return undefined;
}

function invalidInput(problems: Refusal<'INVALID_INPUT'>['details']['problems']): Refusal {
  const message =
    problems.length === 1 ? problems[0]!.message : `${problems.length} things are wrong with the input`;
  return new Refusal('INVALID_INPUT', message, { problems }, problems[0]!.path);
}

/**
 * The refusal that goes first: a key that is taken by another input, then the ticket, then (before sizes) the mailbox and
 * the recipient, and only then the one that was found.
 */
async function firstRefusal(
  ctx: DeskContext,
  viewer: Viewer,
  input: AddTicketMessageInput,
  key: string | undefined,
  found: Refusal,
): Promise<Refusal> {
  // Whatever is stored for the key was accepted once, so this input is another one.
  if (key !== undefined && isKey(key) && (await findKey(ctx.desk.database.desk, viewer.userId, key)))
    return keyReused();
  const mailed = found.code === 'ATTACHMENT_TOO_LARGE' && input.email != null;
  const row = rowOf(viewer, { ...input, body: '', email: mailed ? input.email! : null }, undefined, []);
  const [judged] = await ctx.desk.judge({
    ...row,
    ...(row.email && { email: { ...row.email, mailBytes: 0, signatureFactor: 0 } }),
  });
  return judged!.verdict === null ? found : refusalOf(ctx, viewer, row, judged!.verdict, judged!);
}

/** The statement's row for an input that was found good. */
function rowOf(
  viewer: Viewer,
  input: AddTicketMessageInput,
  key: string | undefined,
  files: readonly NewFile[],
): NewMessageRow {
  const { email } = input;
  return {
    ...resolveSelector(input.ticket),
    viewerId: viewer.userId,
    operator: isOperator(viewer),
    body: input.body,
    format: input.format,
    visibility: input.visibility,
    mobile: input.isMobileDevice,
    ifLast:
      input.ifLastMessage == null ? null : (decodeGlobalId('TicketMessage', input.ifLastMessage) ?? null),
    key: key ?? null,
    fingerprint: key === undefined ? null : fingerprintOf(input, files),
    files,
    email:
      email == null
        ? null
        : {
            from: email.from.trim(),
            ...mailBytesUpperBound(input, files),
            quote: 'NONE',
            expect: null,
            token: randomUUID(),
            dueAt: null,
            cancelIf: [],
            copies: copiesOf(email).copies,
          },
  };
}

/** What a verdict of the database means to the author. */
async function refusalOf(
  ctx: DeskContext,
  viewer: Viewer,
  row: NewMessageRow,
  verdict: Verdict,
  { ticketId }: { ticketId: number | null },
): Promise<Refusal> {
  switch (verdict) {
    case 'TICKET_NOT_FOUND':
      return new Refusal('TICKET_NOT_FOUND', 'There is no such ticket', undefined, ['ticket']);
    case 'MAILBOX_NOT_FOUND':
      return new Refusal(
        'MAILBOX_NOT_FOUND',
        `There is no mailbox ${row.email!.from} that you may send from`,
        undefined,
        ['email', 'from'],
      );
    case 'MAILBOX_NOT_READY':
      return new Refusal(
        'MAILBOX_NOT_READY',
        `The mailbox ${row.email!.from} is disabled or has no SMTP settings`,
        undefined,
        ['email', 'from'],
      );
    case 'RECIPIENT_MISSING':
      return new Refusal('RECIPIENT_MISSING', "The ticket's requester has no e-mail address", undefined, [
        'email',
      ]);
    case 'TICKET_CHANGED': {
      const unseenMessageIds = await listMessagesAfter(ctx, viewer, ticketId!, row.ifLast!);
      const message = 'The ticket has messages that you have not seen';
      return new Refusal('TICKET_CHANGED', message, { ticketId: ticketId!, unseenMessageIds }, [
        'ifLastMessage',
      ]);
    }
    default:
      throw new Error(`unexpected verdict ${verdict}`);
  }
}
