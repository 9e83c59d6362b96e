import type postgres from 'postgres';
import type { Logger } from '../../../platform/log.ts';
import { copied, findMark, findOutboxHome, holdOutbox, recovered, setOutboxHome } from './home.ts';

const wentBack = 'the database is in an earlier state than a moment ago';
const advice =
  'The original database may have sent the same mails. `ticketwire outbox show` lists what waits, ' +
  '`ticketwire outbox release` sends it';

/**
 * A delivery and the number of its attempts, as this worker has seen them committed. If the database has
 * fewer, it has lost data.
 */
export interface KnownAttempt {
  /** Id of the delivery. */
  readonly id: number;
  readonly attempts: number;
}

/** Checks whether the database lost known attempts, and returns its newest mail for the next check. */
async function remember(
  sql: postgres.Sql,
  known: readonly KnownAttempt[],
): Promise<{ lost: boolean; newest: KnownAttempt[] }> {
  const found = await sql<KnownAttempt[]>`
    select id, attempts from deliveries where id = any (${known.map(({ id }) => id)}::int[])`;
  const attempts = new Map(found.map((one) => [one.id, one.attempts]));
  const lost = known.some((one) => (attempts.get(one.id) ?? -1) < one.attempts);
  const newest = await sql<KnownAttempt[]>`select id, attempts from deliveries order by id desc limit 1`;
  return { lost, newest: [...newest] };
}

/** Tells one worker before each claim whether mails may be sent. */
export interface SendingGate {
  /**
   * Whether mails may be sent. While they may, and it is the same database, it looks at the outbox's home at
   * most every `everyMs`; while they may not, at each call. It logs each new reason once, and also when
   * sending resumes. It rejects when the database does not answer.
   */
  isOpen(): Promise<boolean>;
  /** Makes the next `isOpen` look at the outbox's home. Called when the outbox was held or released. */
  recheck(): void;
  /** Remembers the last attempt that was committed, so that `isOpen` notices its loss. */
  attemptStarted(attempt: KnownAttempt): void;
}

/**
 * Creates the gate of one worker. It holds the outbox by itself when the database is a copy, or has lost an
 * attempt that this worker knows; then nobody sends until `ticketwire outbox release`.
 *
 * After a promotion, a worker that has queried the gate before compares the attempts that it knows. If all
 * are there, it continues and records the new timeline. A worker that starts later cannot tell whether mails
 * were lost. It sends nothing until such a worker or an operator has recorded the timeline.
 * @param everyMs milliseconds between two looks at the outbox's home while mails are sent
 */
export function createSendingGate(sql: postgres.Sql, log: Logger, everyMs: number): SendingGate {
  let askedAt = Number.NEGATIVE_INFINITY;
  let known: readonly KnownAttempt[] | undefined;
  let last: KnownAttempt | undefined;
  let lastReason: string | undefined;
  let lastMark: string | undefined;

  /** Forgets the attempts that it knows: whoever releases the outbox decides what is lost. */
  function forgetting(why: string): string {
    known = undefined;
    last = undefined;
    return why;
  }

  async function whyNot(): Promise<string | undefined> {
    const { heldAt, reason, moved, timelineChanged, here } = await findOutboxHome(sql);
    if (heldAt !== null) return forgetting(reason ?? 'held');
    const { lost, newest } = await remember(sql, [...(known ?? []), ...(last === undefined ? [] : [last])]);
    if (moved || lost) {
      const why = moved ? copied : wentBack;
      await holdOutbox(sql, why);
      return forgetting(why);
    }
    if (timelineChanged && known === undefined) return recovered;
    if (timelineChanged) await setOutboxHome(sql, here);
    known = newest;
    return undefined;
  }

  return {
    async isOpen() {
      const mark = await findMark(sql);
      const isRecent = mark === lastMark && performance.now() - askedAt < everyMs;
      if (lastReason === undefined && isRecent) return true;
      const why = await whyNot();
      askedAt = performance.now();
      lastMark = mark;
      if (why === undefined && lastReason !== undefined) log.info('mails are sent again');
      if (why !== undefined && why !== lastReason) log.error({ why, advice }, 'no mail is sent');
      lastReason = why;
      return why === undefined;
    },
    recheck() {
      askedAt = Number.NEGATIVE_INFINITY;
    },
    attemptStarted(attempt) {
      last = attempt;
    },
  };
}
