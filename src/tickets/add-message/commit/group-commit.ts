import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Db } from '../../../db/database.ts';
import { preparePerPool } from '../../../db/prepare-per-pool.ts';
import { asUnavailable, isConflict, isLockTimeout, isRejected } from '../../../platform/database-faults.ts';
import { Unavailable } from '../../../platform/errors.ts';
import type { MessageRow } from '../columns.ts';
import { isPlain, prepareAppend, type RowAnswer } from './append-statement.ts';
import type { GroupCommitLimits } from './group-limits.ts';
import { createPace } from './group-pace.ts';
import { findLocked } from './other-locks.ts';
import { createTicketLanes, delayInGroups, mayGoOn, type PendingRow } from './ticket-lanes.ts';
import { createQueue } from './writing-queue.ts';

/** Most bytes of bodies in one statement, so that 64 large messages do not become one 64 MiB parameter. */
const groupBytes = 2 * 1024 * 1024;
const preparePlain = preparePerPool((db: Db) => prepareAppend(db, { rows: 'plain' }));
const prepareAny = preparePerPool((db: Db) => prepareAppend(db));
const prepareWaiting = preparePerPool((db: Db) => prepareAppend(db, { waits: true }));

/**
 * Writes messages that arrive together as one group. A lone message is written immediately unless other
 * callers were answered a moment ago. Each caller is answered after the commit of its own row. A bad row does
 * not fail the others of its group, and a locked ticket does not delay them. Disposing of it waits until
 * every caller has an answer.
 */
export interface GroupCommit extends AsyncDisposable {
  /**
   * Resolves once the row is committed (`verdict` is null), or a rule has refused it. LOCKED and LATER are
   * retried here and never returned.
   * @throws Unavailable when the queue is full, the ticket stays locked for 5 seconds, or the database does
   *   not answer; `nothingWritten` is false if the row may have been written
   * @throws the database's error, for a row that breaks a constraint; nothing was written
   */
  append(row: MessageRow): Promise<RowAnswer>;
}

/**
 * Creates the writer of new messages. A process has one.
 * @param sendsByDefault whether a mailbox without SMTP settings of its own can send
 */
export function createGroupCommit(
  db: Db,
  sendsByDefault: boolean,
  {
    maxUnanswered = 4096,
    maxUnansweredBytes = 128 * 1024 * 1024,
    groupRows = 64,
    statementsInFlight = 2,
    worthwhileRows = 16,
    patience = 4,
    lockPatience = 5000,
  }: GroupCommitLimits = {},
): GroupCommit {
  const pace = createPace({ groupRows, worthwhileRows, patience });
  const group = { groupRows, groupBytes };
  const lanes = createTicketLanes(
    (rows, waitsForTickets) => execute(waitsForTickets ? prepareWaiting : prepareAny, rows),
    enqueue,
    { ...group, atOnce: statementsInFlight, patience: lockPatience, rows: Math.ceil(maxUnanswered / 8) },
  );
  const queue = createQueue(lanes, { ...group, worthwhileRows, statementsInFlight });
  /** Rows of a group that was rejected or met an unknown lock. One is the reason: each is retried alone. */
  const alone: PendingRow[] = [];
  const inFlight = { statements: 0, rows: 0, alone: 0 };
  let unanswered = 0;
  let unansweredBytes = 0;
  let scheduled = false;
  let impatient: NodeJS.Timeout | undefined;
  let idle: (() => void) | undefined;

  async function execute(prepare: typeof prepareAny, group: readonly PendingRow[]): Promise<RowAnswer[]> {
    const rows = JSON.stringify(group.map(({ row }) => row));
    for (let attempt = 1; ; attempt += 1) {
      try {
        const [answer] = await prepare(db).execute({ rows, sendsByDefault });
        return answer!.answers;
      } catch (error) {
        if (!isConflict(error) || attempt === 5) throw error;
      }
    }
  }

  /** Writes a group; `later` gets rows for the next one. @returns functions that answer the callers */
  async function flush(group: readonly PendingRow[], later: PendingRow[]): Promise<(() => void)[]> {
    try {
      const answers = await execute(group.every(isPlain) ? preparePlain : prepareAny, group);
      return group.flatMap((waiting, n) => {
        const answer = answers[n]!;
        if (answer.verdict === 'LOCKED') foundLocked(waiting, answer.ticketId!);
        else if (answer.verdict === 'LATER') later.push(waiting);
        else return [() => waiting.resolve(answer)];
        return [];
      });
    } catch (error) {
      if (isLockTimeout(error)) return foundOtherLock(group, error, later);
      return failed(group, error);
    }
  }

  function foundLocked(waiting: PendingRow, ticketId: number): void {
    waiting.giveUpAt ??= performance.now() + lockPatience;
    const delay = delayInGroups(waiting);
    if (delay === undefined) lanes.join(ticketId, waiting);
    else if (delay === 0) enqueue(waiting);
    else setTimeout(() => enqueue(waiting), delay);
  }

  /** Rows that need the lock wait in its lane, and the others go first. */
  function foundOtherLock(group: readonly PendingRow[], error: unknown, later: PendingRow[]): [] {
    const laneOf = findLocked(
      group.map(({ row }) => row),
      error,
    );
    for (const waiting of group) {
      const lane = laneOf?.(waiting.row);
      if (lane !== undefined) lanes.join(lane, waiting);
      else if (laneOf !== undefined) later.push(waiting);
      else if (group.length === 1) lanes.join(Symbol('another lock than its ticket'), waiting);
      else {
        waiting.giveUpAt ??= performance.now() + lockPatience;
        alone.push(waiting);
      }
    }
    return [];
  }

  /**
   * A connection fault, or an answer that cannot be read, leaves the commit unknown, so it is not retried.
   * What the server rejects is the fault of one row, so the rows are retried alone.
   */
  function failed(group: readonly PendingRow[], error: unknown): (() => void)[] {
    if (group.length === 1 || !isOfOneRow(error))
      return group.map((waiting) => () => waiting.reject(asUnavailable(error)));
    alone.push(...group);
    return [];
  }

  async function write(group: readonly PendingRow[], isAlone: boolean): Promise<void> {
    inFlight.statements += 1;
    inFlight.rows += group.length;
    if (isAlone) inFlight.alone += 1;
    queue.begin(group);
    const later: PendingRow[] = [];
    const settle = await flush(group, later);
    inFlight.statements -= 1;
    inFlight.rows -= group.length;
    if (isAlone) inFlight.alone -= 1;
    queue.end(group, later);
    pace.answers(settle.length);
    if (inFlight.statements === 0) waitNoLonger();
    drain();
    // The next statement is sent before this thread works on the answers, so that PostgreSQL does not idle.
    if (inFlight.statements > 0) await nextTurn();
    for (const settleOne of settle) settleOne();
  }

  function waitNoLonger(): void {
    clearTimeout(impatient);
    impatient = undefined;
  }

  function drain(late = false): void {
    scheduled = false;
    const mostAlone = Math.max(1, Math.floor(statementsInFlight / 2));
    alone.splice(0, alone.length, ...alone.filter(mayGoOn));
    while (inFlight.statements < statementsInFlight) {
      if (alone.length > 0 && inFlight.alone < mostAlone) void write(alone.splice(0, 1), true);
      else if (queue.length === 0) return;
      else if (!pace.isEnough(queue.length, inFlight) && queue.bytes < groupBytes && !late) {
        impatient ??= setTimeout(() => drain(true), inFlight.statements > 0 ? patience : patience / 2);
        return;
      } else {
        waitNoLonger();
        const taken = queue.next(inFlight.rows);
        if (taken.length > 0) void write(taken, false);
      }
    }
  }

  function enqueue(waiting: PendingRow): void {
    if (!queue.add(waiting)) return;
    if (scheduled || inFlight.statements >= statementsInFlight) return;
    scheduled = true;
    // Requests that were read in this turn of the event loop join the group.
    setImmediate(() => drain());
  }

  return {
    append(row) {
      const bytes = Buffer.byteLength(row.body) + 512;
      if (unanswered >= maxUnanswered || unansweredBytes + bytes > maxUnansweredBytes) {
        const fault = { nothingWritten: true };
        return Promise.reject(new Unavailable('Too many messages are waiting to be written', 1, fault));
      }
      const name = row.ticketId === undefined ? row.reference!.toLowerCase() : `#${row.ticketId}`;
      const answer = new Promise<RowAnswer>((resolve, reject) => {
        pace.came();
        enqueue({ row, bytes, name, lockedTimes: 0, giveUpAt: undefined, resolve, reject });
      });
      unanswered += 1;
      unansweredBytes += bytes;
      const forget = () => {
        unanswered -= 1;
        unansweredBytes -= bytes;
        if (unanswered === 0) idle?.();
      };
      answer.then(forget, forget);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      if (unanswered > 0) await new Promise<void>((resolve) => (idle = resolve));
    },
  };
}

/** Whether an error is the fault of one row, and the statement was rolled back. */
const isOfOneRow = (error: unknown): boolean =>
  isConflict(error) || (isRejected(error) && !(asUnavailable(error) instanceof Unavailable));
