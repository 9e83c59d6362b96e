import type { PendingRow, TicketLanes } from './ticket-lanes.ts';

/** Limits of the queue; see `GroupCommitLimits`. */
export interface QueueLimits {
  /** Most rows of a group. */
  readonly groupRows: number;
  /** Most bytes of a group. A larger row is a group of its own. */
  readonly groupBytes: number;
  /** A group may have this many rows even if that is more than an even share. */
  readonly worthwhileRows: number;
  /** Number of statements among which the rows are shared. */
  readonly statementsInFlight: number;
}

/**
 * Messages that wait for a group. While a statement writes to a ticket, its further messages wait here rather
 * than for its lock in the database. The queue itself has no limit, and settles no promise of its messages.
 */
export interface WritingQueue {
  /** Number of rows that can be sent, without those that wait for their ticket. */
  readonly length: number;
  /** Their approximate size in bytes. */
  readonly bytes: number;
  /**
   * Adds a message to its ticket's lane if it has one, and otherwise at the end of the queue.
   * @returns false when there is nothing to send now, because the message is in a lane or waits for its
   *   ticket
   */
  add(waiting: PendingRow): boolean;
  /**
   * Removes the next group from the queue and returns it, oldest first; empty when nothing can be sent. It
   * has up to an even share of the rows that are queued and in flight, or up to `worthwhileRows` if that is
   * more. Messages of one ticket go together beyond the share, as a parallel statement could not write them
   * anyway. `groupRows` and `groupBytes` are never exceeded, except by a single row of more bytes.
   * @param rowsInFlight number of rows of the statements that are running
   */
  next(rowsInFlight: number): PendingRow[];
  /** Must be called when a statement begins to write the group. */
  begin(group: readonly PendingRow[]): void;
  /**
   * Must be called when that statement has ended. Puts messages that waited for the group's tickets at the
   * front of the queue.
   * @param later rows of the group that go before all others
   */
  end(group: readonly PendingRow[], later: readonly PendingRow[]): void;
}

/** Creates the queue of one writer, which is empty. @param lanes gets messages whose ticket has a lane */
export function createQueue(
  lanes: TicketLanes,
  { groupRows, groupBytes, worthwhileRows, statementsInFlight }: QueueLimits,
): WritingQueue {
  let queue: PendingRow[] = [];
  let queuedBytes = 0;
  /** Waiting messages by the ticket that a statement is writing to, as its callers named it. */
  const busy = new Map<string, PendingRow[]>();

  /** An even share of the rows: a statement that took all of them would leave the others idle. */
  function limit(rowsInFlight: number): number {
    const share = Math.ceil((queue.length + rowsInFlight) / statementsInFlight);
    return Math.min(groupRows, Math.max(Math.min(worthwhileRows, groupRows), share));
  }

  function push(waiting: PendingRow): boolean {
    if (lanes.take(waiting)) return false;
    const held = busy.get(waiting.name);
    (held ?? queue).push(waiting);
    if (held !== undefined) return false;
    queuedBytes += waiting.bytes;
    return true;
  }

  return {
    get length() {
      return queue.length;
    },
    get bytes() {
      return queuedBytes;
    },
    add: push,
    next(rowsInFlight) {
      const most = limit(rowsInFlight);
      const group: PendingRow[] = [];
      const names = new Set<string>();
      let bytes = 0;
      const waited = queue;
      queue = [];
      queuedBytes = 0;
      for (const waiting of waited) {
        const isRoom = group.length < (names.has(waiting.name) ? groupRows : most);
        const isLight = group.length === 0 || bytes + waiting.bytes <= groupBytes;
        if (busy.has(waiting.name) || !isRoom || !isLight) push(waiting);
        else if (!lanes.take(waiting)) {
          group.push(waiting);
          names.add(waiting.name);
          bytes += waiting.bytes;
        }
      }
      return group;
    },
    begin(group) {
      for (const { name } of group) if (!busy.has(name)) busy.set(name, []);
    },
    end(group, later) {
      // They arrived before those in the queue.
      const held = group.flatMap(({ name }) => {
        const waiting = busy.get(name) ?? [];
        busy.delete(name);
        return waiting;
      });
      const queued = queue;
      queue = [];
      queuedBytes = 0;
      for (const waiting of [...later, ...held, ...queued]) push(waiting);
    },
  };
}
