import type { Viewer } from '../context.ts';
import { type Problem, Refusal } from '../errors.ts';
import type { DeskContext } from './desk.ts';
import { findKey, keyReused } from './idempotency.ts';
import { listMessagesAfter } from './message.ts';
import { type AddTicketMessageInput, inputProblems, isKey } from './message-input.ts';
import type { NewMessageRow, Verdict } from './new-message-row.ts';
import { whyNotWrite } from './policy.ts';
import { rowOf } from './row.ts';
import { ticketNotFound } from './selector.ts';
import type { WrittenInput } from './written-body.ts';

/** The first refusal that the input alone explains; whether the ticket is there goes before any of these. */
export function refusalByInput(
  ctx: DeskContext,
  viewer: Viewer,
  { input, problems: ofBody }: WrittenInput,
): Refusal | undefined {
  const forbidden = whyNotWrite(viewer, input);
  if (forbidden !== undefined) return forbidden;
  const problems = [...ofBody, ...inputProblems(input, ctx.desk.limits, ctx.idempotencyKey, ctx.now())];
  if (problems.length > 0) return invalidInput(problems);
  if (input.visibility === 'PRIVATE' && input.email != null) {
    return new Refusal('PRIVATE_WITH_EMAIL', 'A private message cannot be sent as an e-mail', undefined, [
      'email',
    ]);
  }
  return undefined;
}

export function invalidInput(problems: readonly Problem[]): Refusal {
  const message =
    problems.length === 1 ? problems[0]!.message : `${problems.length} things are wrong with the input`;
  return new Refusal('INVALID_INPUT', message, { problems }, problems[0]!.path);
}

/**
 * The refusal that goes first: a key that is taken by another input, then the ticket, then (before sizes) the mailbox and
 * the recipient, and only then the one that was found.
 */
export async function firstRefusal(
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
  const row = rowOf(
    viewer,
    { ...input, body: '', email: mailed ? input.email! : null },
    undefined,
    [],
    ctx.now(),
  );
  const [judged] = await ctx.desk.judge(withoutSize(row));
  return judged!.verdict === null ? found : refusalOf(ctx, viewer, row, judged!.verdict, judged!);
}

/** The row for a judge who is not to look at the mail's size. */
export const withoutSize = (row: NewMessageRow): NewMessageRow =>
  row.email === null ? row : { ...row, email: { ...row.email, mailBytes: 0, signatureFactor: 0 } };

export const previewStale = (): Refusal =>
  new Refusal('PREVIEW_STALE', 'The mail would not be the one that was previewed', undefined, [
    'expectPreviewHash',
  ]);

/** What a verdict of the database means to the author. */
export async function refusalOf(
  ctx: DeskContext,
  viewer: Viewer,
  row: NewMessageRow,
  verdict: Verdict,
  { ticketId }: { ticketId: number | null },
): Promise<Refusal> {
  const from = ['email', 'from'];
  switch (verdict) {
    case 'TICKET_NOT_FOUND':
      return ticketNotFound();
    case 'MAILBOX_NOT_FOUND':
      return new Refusal(
        verdict,
        `There is no mailbox ${row.email!.from} that you may send from`,
        undefined,
        from,
      );
    case 'MAILBOX_NOT_READY':
      return new Refusal(
        verdict,
        `The mailbox ${row.email!.from} is disabled or has no SMTP settings`,
        undefined,
        from,
      );
    case 'RECIPIENT_MISSING':
      return new Refusal(verdict, "The ticket's requester has no e-mail address", undefined, ['email']);
    case 'PREVIEW_STALE':
      return previewStale();
    case 'TICKET_CHANGED': {
      const unseenMessageIds = await listMessagesAfter(ctx, viewer, ticketId!, row.ifLast!);
      const message = 'The ticket has messages that you have not seen';
      return new Refusal(verdict, message, { ticketId: ticketId!, unseenMessageIds }, ['ifLastMessage']);
    }
    case 'MAIL_SIZE':
    case 'LOCKED':
    case 'LATER':
    case 'KEY_TAKEN':
      throw new Error(`${verdict} is no refusal`);
  }
}
