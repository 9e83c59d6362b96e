import { hash } from 'node:crypto';
import { and, eq, sql } from 'drizzle-orm';
import type { Db } from '../../db/database.ts';
import { idempotencyKeys, messages } from '../../db/tables.ts';
import { Refusal } from '../../platform/errors.ts';
import type { RequestContext } from '../../platform/request-context.ts';
import { invalidInput } from '../invalid-input.ts';
import { refuse } from '../refusals-by-command.ts';
import { authoredOf, type NewFile } from './columns.ts';
import { storedFingerprint } from './commit/accept-rows.ts';
import type { NewMessage } from './input.ts';

/**
 * SHA-256 in hexadecimal of the input without its ticket: the body and flags, the name, type, digest and
 * Content-ID of each file in order, and the e-mail. It leaves out the key, `ifLastMessage` and the preview's
 * hash, because a retry may have seen newer messages.
 */
export function fingerprintOf(message: NewMessage, files: readonly NewFile[]): string {
  const { body, format, visibility, isMobileDevice, ...later } = authoredOf(message);
  const { email } = message;
  const meaning = [
    // Later fields are added by name, and only when given, so that stored fingerprints stay valid.
    [
      body,
      format,
      visibility,
      isMobileDevice,
      ...Object.entries(later).filter(([, value]) => value !== null),
    ],
    files.map(({ fileName, contentType, sha256, contentId }) => [
      ...[fileName, contentType, sha256],
      ...(contentId == null ? [] : [contentId]),
    ]),
    email === null
      ? null
      : [
          ...[email.from, email.cc, email.bcc, email.holdSeconds, email.sendAt?.getTime() ?? null],
          ...[email.cancelIf, email.quote],
          ...(email.autoSubmitted ? ['autoSubmitted'] : []),
        ],
    ...(message.reopen ? ['reopen'] : []),
  ];
  return hash('sha256', JSON.stringify(meaning), 'hex');
}

/** An idempotency key that was used before. */
export interface StoredKey {
  /** The message that it created. */
  readonly messageId: number;
  readonly ticketId: number;
  /** Whether the key was stored for this fingerprint and the message's ticket. */
  readonly isSameInput: boolean;
}

/**
 * Finds the message that a user's idempotency key created. Other users' keys are separate. Does not check
 * whether the user may still see the message.
 * @param fingerprint `fingerprintOf` the current input, which is compared with the stored one
 * @returns undefined when the user has not used the key
 */
export async function findKey(
  db: Db,
  {
    userId,
    key,
    fingerprint,
  }: { readonly userId: number; readonly key: string; readonly fingerprint: string },
): Promise<StoredKey | undefined> {
  const given = storedFingerprint(messages.ticketId, sql`${fingerprint}::text`);
  const [row] = await db
    .select({
      messageId: idempotencyKeys.messageId,
      ticketId: messages.ticketId,
      isSameInput: sql<boolean>`${idempotencyKeys.fingerprint} = ${given}`,
    })
    .from(idempotencyKeys)
    .innerJoin(messages, eq(messages.id, idempotencyKeys.messageId))
    .where(and(eq(idempotencyKeys.userId, userId), eq(idempotencyKeys.key, key)))
    .prepare('find_key')
    .execute();
  return row;
}

/** Makes the refusal for a key that was used with another input. */
export const keyReused = (): Refusal<'IDEMPOTENCY_KEY_REUSED'> =>
  new Refusal('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used with another input', undefined, [
    'idempotencyKey',
  ]);

/**
 * Refuses an Idempotency-Key header of a request with several commands, where the second command would look
 * like a retry of the first.
 * @param commands number of mutations in the request
 * @throws Refusal INVALID_INPUT when there is such a header and `commands` is not 1
 */
export function assertOneCommand({ idempotencyKey }: RequestContext, commands: number): void {
  if (idempotencyKey === undefined || commands === 1) return;
  const message =
    'The Idempotency-Key header works for a document with one mutation; set idempotencyKey in each input';
  throw refuse<'addTicketMessage'>(invalidInput([{ path: ['idempotencyKey'], message }]));
}

/** Keys with a running call, and the calls that wait for it. */
const running = new Map<string, (() => void)[]>();

/**
 * Runs `run`, and settles as it does. Calls with the same key of a user run one after another, in the order
 * in which they came here, also after one has failed. A call without a key (null) runs immediately. Calls of
 * this process wait here, without a connection. Those of other processes wait in the database, for the
 * ticket's lock and the key's unique index.
 * @param run must not wait for its client: the others would wait for it too
 */
export async function oneAtATime<T>(userId: number, key: string | null, run: () => Promise<T>): Promise<T> {
  if (key === null) return run();
  const name = `${userId}:${key}`;
  const waiting = running.get(name);
  if (waiting === undefined) running.set(name, []);
  else await new Promise<void>((resolve) => waiting.push(resolve));
  try {
    return await run();
  } finally {
    const next = running.get(name)!.shift();
    if (next === undefined) running.delete(name);
    else next();
  }
}
