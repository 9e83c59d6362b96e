/**
 * Mails that one worker may have claimed of one mailbox, for each connection: enough that a connection never
 * waits for a claim, and that claims are large, as half of them are asked for at once.
 */
export const claimsPerConnection = 16;
/**
 * Milliseconds that a mailbox rests after its server could not be spoken to: doubled each time, full jitter.
 */
const firstRest = 1000;
const longestRest = 120_000;

export interface Lanes {
  /** Room of a mailbox of which nothing is under way. */
  readonly room: number;
  /** Mailboxes with another room than that. */
  list(): { mailboxId: number; free: number }[];
  enter(mailboxId: number): void;
  leave(mailboxId: number): void;
  /**
   * What became of an attempt: a server that is down rests, so that its mails wait their turn instead of
   * failing one after another.
   */
  heard(mailboxId: number, serverDown: boolean): void;
  /** Whether what was claimed may still go: not while its server rests. */
  mayBegin(mailboxId: number): boolean;
  /** Milliseconds until the next rest ends; Infinity: none rests. */
  pause(): number;
  /** Whether a claim could bring more than a trickle. */
  worthAsking(): boolean;
}

interface Lane {
  busy: number;
  failures: number;
  restsUntil: number;
}

/** How much of each mailbox this worker takes on, so that none of them holds up another. */
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
    // After a rest one mail tries the server; the others follow once it has gone.
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
      // Attempts that were under way together fail together: that is one failure.
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
