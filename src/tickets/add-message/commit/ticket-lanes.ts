import { asUnavailable, isLockTimeout, isRejected } from '../../../platform/database-faults.ts';
import { Unavailable } from '../../../platform/errors.ts';
import type { MessageRow } from '../columns.ts';
import type { RowAnswer } from './append-statement.ts';
import { otherLanesOf } from './other-locks.ts';

/** A queued row, and the functions that settle its caller's promise. */
export interface PendingRow {
  readonly row: MessageRow;
  /** Approximate size of the row in bytes, mostly its body's. */
  readonly bytes: number;
  /**
   * The ticket as the caller named it: `#` and its id, or its reference in lower case. So rows of one ticket
   * may have two names.
   */
  readonly name: string;
  /** How often its ticket was found locked since the row was queued, or since it left a lane. */
  lockedTimes: number;
  /**
   * Time by `performance.now()` at which the row is rejected; undefined until its ticket was first locked.
   */
  giveUpAt: number | undefined;
  readonly resolve: (answer: RowAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Limits of the lanes. */
export interface LaneLimits {
  /** Most statements of lanes in flight. */
  readonly atOnce: number;
  /**
   * Milliseconds after which a waiting message is rejected, counted from when its ticket was first found
   * locked, or from when it joined a lane if that was earlier.
   */
  readonly patience: number;
  /** Most waiting messages of one lane, so that one ticket cannot fill the whole queue. */
  readonly rows: number;
  /** Most rows of one statement. */
  readonly groupRows: number;
  /** Most bytes of one statement. A larger row is written alone. */
  readonly groupBytes: number;
}

/**
 * Queues of messages whose ticket, author, mailbox or idempotency key is locked: one lane for each locked
 * row, so that no message waits for a lock that it does not need. A lane's turn is one statement, which waits
 * up to 250 ms for the lock. Then the next lane has its turn. Once a lane's statement has got the lock, the
 * rest of the lane goes back to the groups, which write it in fewer statements. When a statement has not got
 * it, the lane stays, and its next statement has only one row, because that row may be waiting for another
 * lock. The lane of an author, a mailbox or a key does not wait for tickets: a message whose ticket is locked
 * as well leaves it for that ticket's lane.
 *
 * The lanes settle the promises of their messages. A message is rejected with `Unavailable` when its lane is
 * full or its `giveUpAt` has passed, and with the error of its statement when that failed for another reason.
 */
export interface TicketLanes {
  /**
   * Adds the message to a lane, which is created if there is none.
   * @param lane the ticket's id, one of `otherLanesOf` the message, or a symbol when it is not known which
   *   other lock the message waits for
   */
  join(lane: LaneId, waiting: PendingRow): void;
  /**
   * Adds the message to its ticket's lane, if a message that named the ticket in the same way has joined one,
   * or else to one of its other lanes.
   * @returns whether there is such a lane, also when the message was rejected because the lane is full
   */
  take(waiting: PendingRow): boolean;
}

/** A ticket's id, a name of `otherLanesOf`, or a symbol. */
type LaneId = number | string | symbol;

interface TicketLane {
  readonly id: LaneId;
  readonly names: Set<string>;
  readonly rows: PendingRow[];
  /** Most rows of the next statement; 1 after a timeout, because one row may wait for a lock of its own. */
  width: number;
}

/**
 * Creates the queues for locked tickets.
 * @param append writes rows by one statement, which waits for locks up to `lock_timeout`, but for those of
 *   tickets only if `waitsForTickets`. Returns their results in the same order
 * @param release called with each message that is left in its lane when the ticket is no longer locked; it
 *   returns the message to the groups
 */
export function createTicketLanes(
  append: (group: readonly PendingRow[], waitsForTickets: boolean) => Promise<readonly RowAnswer[]>,
  release: (waiting: PendingRow) => void,
  { atOnce, patience, rows: maxRows, groupRows, groupBytes }: LaneLimits,
): TicketLanes {
  const lanes = new Map<LaneId, TicketLane>();
  const byName = new Map<string, TicketLane>();
  const turns: TicketLane[] = [];
  let running = 0;

  function add(lane: TicketLane, waiting: PendingRow): void {
    if (lane.rows.length >= maxRows) return waiting.reject(lockedFault());
    waiting.giveUpAt ??= performance.now() + patience;
    lane.rows.push(waiting);
  }

  function nextOf(lane: TicketLane) {
    let bytes = 0;
    const count = lane.rows.findIndex((waiting, n) => {
      bytes += waiting.bytes;
      return n >= lane.width || (n > 0 && bytes > groupBytes);
    });
    return lane.rows.splice(0, count === -1 ? lane.rows.length : count);
  }

  async function turn(lane: TicketLane): Promise<void> {
    const batch = nextOf(lane);
    try {
      const isOfTicket = typeof lane.id === 'number';
      const answers = await append(batch, isOfTicket);
      const again = batch.filter((waiting, n) => {
        const answer = answers[n]!;
        if (answer.verdict === 'LOCKED' && !isOfTicket) join(answer.ticketId!, waiting);
        else if (isAgain(answer)) return true;
        else waiting.resolve(answer);
        return false;
      });
      lane.rows.unshift(...again);
      // The lane of a busy ticket would never become empty by itself. After a timeout it stays, because its
      // rows may wait for locks of their own.
      if (lane.width === groupRows) close(lane);
      lane.width = groupRows;
    } catch (error) {
      const fault = asUnavailable(error);
      const isShared = batch.length > 1 && isRejected(error) && !(fault instanceof Unavailable);
      if (isLockTimeout(error) || isShared) {
        lane.width = 1;
        // A row that timed out alone goes to the end of the lane.
        lane.rows.splice(batch.length === 1 ? lane.rows.length : 0, 0, ...batch);
      } else for (const waiting of batch) waiting.reject(fault);
    }
  }

  function expire(): void {
    for (const { rows } of lanes.values()) rows.splice(0, rows.length, ...rows.filter(mayGoOn));
  }

  async function serve(lane: TicketLane): Promise<void> {
    running += 1;
    await turn(lane);
    running -= 1;
    expire();
    if (lanes.get(lane.id) === lane) turns.push(lane);
    next();
  }

  function close(lane: TicketLane): void {
    lanes.delete(lane.id);
    for (const name of lane.names) byName.delete(name);
    for (const waiting of lane.rows.splice(0)) {
      waiting.lockedTimes = 0;
      release(waiting);
    }
  }

  function next(): void {
    while (running < atOnce && turns.length > 0) {
      const lane = turns.shift()!;
      if (lane.rows.length === 0) close(lane);
      else void serve(lane);
    }
  }

  function join(id: LaneId, waiting: PendingRow): void {
    let lane = lanes.get(id);
    if (lane === undefined) {
      lane = { id, names: new Set(), rows: [], width: groupRows };
      lanes.set(id, lane);
      turns.push(lane);
    }
    const name = typeof id === 'number' ? waiting.name : id;
    if (typeof name === 'string') {
      byName.set(name, lane);
      lane.names.add(name);
    }
    add(lane, waiting);
    next();
  }

  return {
    join,
    take(waiting) {
      if (byName.size === 0) return false;
      const names = [waiting.name, ...otherLanesOf(waiting.row)];
      const lane = names.map((name) => byName.get(name)).find((one) => one !== undefined);
      if (lane !== undefined) add(lane, waiting);
      return lane !== undefined;
    },
  };
}

/**
 * Whether a row is to be written by the next statement. LOCKED after a wait: the ticket was deleted
 * meanwhile, which the next statement sees.
 */
const isAgain = ({ verdict }: RowAnswer): boolean => verdict === 'LATER' || verdict === 'LOCKED';

const lockedFault = (): Unavailable =>
  new Unavailable('Another transaction holds a lock that this message needs; nothing was written', 2, {
    nothingWritten: true,
  });

/**
 * Whether a row may be retried: its `giveUpAt` is undefined or in the future. If not, its promise is rejected
 * with `Unavailable`, whose `nothingWritten` is true.
 */
export function mayGoOn(waiting: PendingRow): boolean {
  if (waiting.giveUpAt === undefined || performance.now() < waiting.giveUpAt) return true;
  waiting.reject(lockedFault());
  return false;
}

/**
 * Milliseconds until a message whose ticket is locked is retried in a group: one delay for each time that the
 * ticket was found locked. Most such locks belong to a group of another process and are short. One that
 * outlasts all of these is waited for in a lane: lanes are few, so a ticket that is merely busy must not need
 * one.
 */
const delaysInGroups = [0, 0, 4, 8, 16, 32, 64, 128];

/**
 * Increments the row's `lockedTimes`.
 * @returns milliseconds until its next group, from 0 to 128; undefined from the ninth time on: the row waits
 *   in a lane from then on
 */
export function delayInGroups(waiting: PendingRow): number | undefined {
  const delay = delaysInGroups[waiting.lockedTimes];
  waiting.lockedTimes += 1;
  return delay;
}
