import type { PendingRow, TicketLanes } from './locked-ticket-queues.ts';

/** Limits of the queue; see `GroupCommitLimits`. */
export interface QueueLimits {
  readonly groupRows: number;
  readonly groupBytes: number;
  readonly worthwhileRows: number;
  readonly statementsInFlight: number;
}

/**
 * Messages that wait for a group. While a statement writes to a ticket, its further messages wait here rather
 * than for its lock in the database.
 */
export interface WritingQueue {
  /** Rows that can be sent. */
  readonly length: number;
  /** Their size. */
  readonly bytes: number;
  /** @returns false when the message waits for its ticket, so that there is nothing to send now */
  add(waiting: PendingRow): boolean;
  /**
   * Takes the next group. Messages of one ticket go together, as a parallel statement could not write them
   * anyway.
   */
  next(rowsInFlight: number): PendingRow[];
  /** Must be called when a statement begins to write the group. */
  begin(group: readonly PendingRow[]): void;
  /**
   * Must be called when that statement has ended. Puts messages that waited for the group's tickets at the
   * front of the queue.
   */
  end(group: readonly PendingRow[]): void;
}

/** Creates the queue of one writer. @param lanes gets messages whose ticket has a lane */
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
    end(group) {
      // They arrived before those in the queue.
      const held = group.flatMap(({ name }) => {
        const waiting = busy.get(name) ?? [];
        busy.delete(name);
        return waiting;
      });
      const later = queue;
      queue = [];
      queuedBytes = 0;
      for (const waiting of [...held, ...later]) push(waiting);
    },
  };
}
