/**
 * Claimed mails per connection of a mailbox: enough that a connection never waits for a claim, and that
 * claims are large, as half of the slots are refilled together.
 */
export const claimsPerConnection = 16;
/** Milliseconds that a mailbox pauses after its server failed: doubled each time, with jitter. */
const firstRest = 1000;
const longestRest = 120_000;

/** The slots of each mailbox for claimed mails. */
export interface Lanes {
  /** Slots of an idle mailbox. */
  readonly room: number;
  /** Mailboxes with another number of free slots. */
  list(): { mailboxId: number; free: number }[];
  /** Takes a slot. */
  enter(mailboxId: number): void;
  /** Frees a slot. */
  leave(mailboxId: number): void;
  /**
   * Reports an attempt. A mailbox pauses while its server is down, so that its mails wait instead of failing
   * one by one.
   */
  heard(mailboxId: number, serverDown: boolean): void;
  /** Whether a claimed mail may begin: not while its mailbox pauses. */
  mayBegin(mailboxId: number): boolean;
  /** Milliseconds until the next pause ends; Infinity when there is none. */
  pause(): number;
  /** Whether enough slots are free for a claim to be worthwhile. */
  worthAsking(): boolean;
}

interface Lane {
  busy: number;
  failures: number;
  restsUntil: number;
}

/**
 * Creates the slots of one worker. Each mailbox has its own, so that no mailbox delays another.
 * @param connections maximum connections per mailbox
 * @param random in [0, 1), for the jitter of pauses
 */
export function createLanes({
  connections,
  random,
  now,
}: {
  connections: number;
  random: () => number;
  now: () => Date;
}): Lanes {
  const room = connections * claimsPerConnection;
  const lanes = new Map<number, Lane>();
  const laneOf = (mailboxId: number): Lane => {
    const known = lanes.get(mailboxId) ?? { busy: 0, failures: 0, restsUntil: 0 };
    lanes.set(mailboxId, known);
    return known;
  };
  const freeOf = ({ busy, failures, restsUntil }: Lane): number => {
    if (restsUntil > now().getTime()) return 0;
    // After a pause, one mail tries the server. The others follow when it was sent.
    if (failures > 0) return busy === 0 ? 1 : 0;
    return Math.max(0, room - busy);
  };
  return {
    room,
    list: () => [...lanes].map(([mailboxId, lane]) => ({ mailboxId, free: freeOf(lane) })),
    enter(mailboxId) {
      laneOf(mailboxId).busy += 1;
    },
    leave(mailboxId) {
      const lane = laneOf(mailboxId);
      lane.busy -= 1;
      if (lane.busy === 0 && lane.failures === 0) lanes.delete(mailboxId);
    },
    heard(mailboxId, serverDown) {
      const lane = laneOf(mailboxId);
      if (!serverDown) {
        lane.failures = 0;
        lane.restsUntil = 0;
        return;
      }
      // Concurrent attempts fail together and count as one failure.
      if (lane.restsUntil > now().getTime()) return;
      const longest = Math.min(longestRest, firstRest * 2 ** Math.min(lane.failures, 10));
      lane.failures += 1;
      lane.restsUntil = now().getTime() + longest / 2 + (random() * longest) / 2;
    },
    mayBegin: (mailboxId) => laneOf(mailboxId).restsUntil <= now().getTime(),
    pause() {
      const ends = [...lanes.values()]
        .map((lane) => lane.restsUntil - now().getTime())
        .filter((rest) => rest > 0);
      return Math.min(Infinity, ...ends);
    },
    worthAsking: () => {
      const busy = [...lanes.values()].filter((lane) => lane.busy > 0);
      return busy.length === 0 || busy.some((lane) => lane.busy <= room / 2);
    },
  };
}
