import { setImmediate as nextTurn } from 'node:timers/promises';
import { asUnavailable, sqlState } from '../database-faults.ts';
import type { Db } from '../db/database.ts';
import { Unavailable } from '../errors.ts';
import { prepareAppend } from './append-statement.ts';
import { type AppendedRow, appendedRow, rowsOf } from './appended-row.ts';
import type { NewMessageRow } from './new-message-row.ts';

/** Bytes of bodies of one statement at most, so that 64 large messages do not become one 64 MiB parameter. */
const groupBytes = 2 * 1024 * 1024;

export interface MessageWriterLimits {
  /** Messages waiting at most; past it, callers are told to come again. */
  readonly queueRows?: number;
  readonly queueBytes?: number;
  /** Rows of one statement at most: past 64, a longer statement gains nothing and its first caller waits for its last. */
  readonly groupRows?: number;
  /** Two: while one waits for its commit to reach the disk, the other executes. More only fight for the same locks. */
  readonly statementsInFlight?: number;
  /**
   * Rows that are worth a statement while another is in flight: it costs PostgreSQL as much before its first row as for several of them,
   * and two that share the callers evenly write more together than a long and a short one. Up to twice as many when the other took
   * more; three quarters of its rows are even enough, or the last straggler would be waited for.
   */
  readonly worthwhileRows?: number;
  /** Milliseconds after which fewer go as well: the other may be waiting for somebody's lock. Half of them when there is no other. */
  readonly patience?: number;
}

/**
 * Writes messages that arrive together as one group. A lone message is written at once, if nobody else was
 * answered a moment ago; each caller is answered only after
 * the commit of its own row; one bad row never fails its neighbours.
 */
export interface MessageWriter extends AsyncDisposable {
  /** @throws Unavailable when the queue is full or the database does not answer (the row may then have been written). */
  write(row: NewMessageRow): Promise<AppendedRow>;
}

interface Waiting {
  readonly row: NewMessageRow;
  readonly bytes: number;
  readonly resolve: (row: AppendedRow) => void;
  readonly reject: (error: unknown) => void;
}

export function createMessageWriter(
  db: Db,
  sendsByDefault: boolean,
  {
    queueRows = 4096,
    queueBytes = 128 * 1024 * 1024,
    groupRows = 64,
    statementsInFlight = 2,
    worthwhileRows = 16,
    patience = 4,
  }: MessageWriterLimits = {},
): MessageWriter {
  const statement = prepareAppend(db);
  const queue: Waiting[] = [];
  let queuedBytes = 0;
  let inFlight = 0;
  let rowsInFlight = 0;
  /** Callers answered a moment ago that have not come again. */
  let expected = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let unanswered = 0;
  let scheduled = false;
  let impatient: NodeJS.Timeout | undefined;
  let idle: (() => void) | undefined;

  const comingAgain = () => (performance.now() - answeredAt < patience ? expected : 0);

  /** Rows that are sent at once; fewer are kept for a moment, as more are about to come. */
  function enough(): number {
    const worthwhile = inFlight > 0 ? worthwhileBeside() : worthwhileAlone();
    // What is as long as a statement may be is worth one.
    return Math.min(groupRows, worthwhile);
  }

  const worthwhileBeside = () =>
    Math.max(worthwhileRows, Math.min((0.75 * rowsInFlight) / inFlight, 2 * worthwhileRows));

  function worthwhileAlone(): number {
    // Callers of long statements come again at once, if they do. Were the first of them sent alone, all others would wait for its end;
    // unless they are so many that there is always enough for both statements.
    const callers = queue.length + comingAgain();
    const areSome = callers >= worthwhileRows / 2 && callers <= 3 * worthwhileRows;
    return areSome ? Math.min(worthwhileRows, 0.75 * callers) : 1;
  }

  async function append(group: readonly Waiting[]): Promise<AppendedRow[]> {
    const rows = rowsOf(group.map(({ row }) => row));
    for (let attempt = 1; ; attempt += 1) {
      try {
        const [answer] = await statement.execute({ rows, sendsByDefault });
        return answer!.rows.map(appendedRow);
      } catch (error) {
        // Rolled back by the server to break a tie: nothing was written, and the next try meets no such tie.
        if (!/^40(001|P01)$/.test(sqlState(error) ?? '') || attempt === 5) throw error;
      }
    }
  }

  /** Writes a group. @returns how its callers are told, each of what became of its own row */
  async function flush(group: readonly Waiting[]): Promise<(() => void)[]> {
    try {
      const answers = await append(group);
      return group.flatMap((waiting, n) => {
        const answer = answers[n]!;
        if (answer.verdict !== 'LATER') return [() => waiting.resolve(answer)];
        enqueue(waiting);
        return [];
      });
    } catch (error) {
      const fault = asUnavailable(error);
      // A fault of the connection says nothing of the commit, so it is not tried again here; a fault of a row is that row's own.
      if (group.length === 1 || fault instanceof Unavailable)
        return group.map(
          ({ reject }) =>
            () =>
              reject(fault),
        );
      for (const waiting of group) for (const tell of await flush([waiting])) tell();
      return [];
    }
  }

  async function write(group: readonly Waiting[]): Promise<void> {
    const told = await flush(group);
    rowsInFlight -= group.length;
    inFlight -= 1;
    expected = group.length + comingAgain();
    answeredAt = performance.now();
    if (inFlight === 0) waitNoLonger();
    drain();
    // The next statement is on its way before this thread is busy with the answers of the last one: PostgreSQL need not wait for them.
    if (inFlight > 0) await nextTurn();
    for (const tell of told) tell();
  }

  function next(): Waiting[] {
    // As much as the other statements have or will have: one that takes all leaves them nothing to do while it runs.
    const limit = Math.min(
      groupRows,
      Math.max(
        Math.min(worthwhileRows, groupRows),
        Math.ceil((queue.length + rowsInFlight) / statementsInFlight),
      ),
    );
    let bytes = 0;
    let count = 0;
    while (
      count < queue.length &&
      count < limit &&
      (count === 0 || bytes + queue[count]!.bytes <= groupBytes)
    ) {
      bytes += queue[count]!.bytes;
      count += 1;
    }
    queuedBytes -= bytes;
    rowsInFlight += count;
    return queue.splice(0, count);
  }

  function waitNoLonger(): void {
    clearTimeout(impatient);
    impatient = undefined;
  }

  function drain(late = false): void {
    scheduled = false;
    while (inFlight < statementsInFlight && queue.length > 0) {
      if (queue.length < enough() && queuedBytes < groupBytes && !late) {
        impatient ??= setTimeout(() => drain(true), inFlight > 0 ? patience : patience / 2);
        return;
      }
      waitNoLonger();
      inFlight += 1;
      void write(next());
    }
  }

  function enqueue(waiting: Waiting): void {
    queue.push(waiting);
    queuedBytes += waiting.bytes;
    expected = Math.max(0, expected - 1);
    if (scheduled || inFlight >= statementsInFlight) return;
    scheduled = true;
    // Callers whose requests were read in this turn of the event loop join.
    setImmediate(() => drain());
  }

  return {
    write(row) {
      const bytes = row.body.length + 512;
      if (queue.length >= queueRows || queuedBytes + bytes > queueBytes) {
        return Promise.reject(new Unavailable('Too many messages are waiting to be written', 1));
      }
      const answer = new Promise<AppendedRow>((resolve, reject) => enqueue({ row, bytes, resolve, reject }));
      unanswered += 1;
      const told = () => {
        unanswered -= 1;
        if (unanswered === 0) idle?.();
      };
      answer.then(told, told);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      if (unanswered > 0) await new Promise<void>((resolve) => (idle = resolve));
    },
  };
}
