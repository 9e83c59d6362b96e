import type { PendingRow, TicketLanes } from './lanes.ts';

export interface QueueLimits {
  readonly groupRows: number;
  readonly groupBytes: number;
  readonly worthwhileRows: number;
  readonly statementsInFlight: number;
}

/**
 * Messages that wait for a group. Those of a ticket that is being written to wait for that: in the database
 * they would wait for its lock.
 */
export interface WritingQueue {
  readonly length: number;
  readonly bytes: number;
  /** @returns false: the message waits for its ticket, and nothing is to be sent for it now */
  add(waiting: PendingRow): boolean;
  /**
   * Takes the next group. Messages of one ticket go together, as the next statement could not have them
   * anyway.
   */
  next(rowsInFlight: number): PendingRow[];
  /** A statement writes the group, and has ended. */
  begin(group: readonly PendingRow[]): void;
  end(group: readonly PendingRow[]): void;
}

export function createQueue(
  lanes: TicketLanes,
  { groupRows, groupBytes, worthwhileRows, statementsInFlight }: QueueLimits,
): WritingQueue {
  let queue: PendingRow[] = [];
  let queuedBytes = 0;
  /** By the ticket that a statement is writing to, as its callers named it. */
  const busy = new Map<string, PendingRow[]>();

  /**
   * As much as the other statements have or will have: one that takes all leaves them nothing to do while it
   * runs.
   */
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
      // They came before whoever is in the queue.
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
