/**
 * Claimed mails per connection of a mailbox: enough that a connection never waits for a claim, and that
 * claims are large, as half of the slots are refilled together.
 */
export const claimsPerConnection = 16;
/** Milliseconds that a mailbox pauses after its server failed: doubled each time, with jitter. */
const firstRest = 1000;
const longestRest = 120_000;

/** Counts each mailbox's claimed mails, and pauses a mailbox while its server is down. */
export interface MailboxSlots {
  /** Most claimed mails of one mailbox: its connections × `claimsPerConnection`. */
  readonly slotsPerMailbox: number;
  /**
   * The free slots of the mailboxes in use: 0 while one pauses, and after its pause at most 1 until an
   * attempt has reached the server. A mailbox that is not listed has all its slots free.
   */
  list(): { mailboxId: number; free: number }[];
  /** Takes a slot, even if none is free. */
  enter(mailboxId: number): void;
  /** Frees a slot. */
  leave(mailboxId: number): void;
  /**
   * Reports an attempt. With `serverDown`, the mailbox pauses, so that its mails wait instead of failing one
   * by one: for half a second to a second, doubled with each failure, up to two minutes. After each pause, a
   * single mail is tried first. A failure during a pause does not lengthen it. Without `serverDown`, the
   * pause ends.
   */
  reportServer(mailboxId: number, serverDown: boolean): void;
  /** Whether a claimed mail may begin: not while its mailbox pauses. */
  mayBegin(mailboxId: number): boolean;
  /** Milliseconds until the next pause ends; Infinity when there is none. */
  pause(): number;
  /**
   * Whether enough slots are free for a claim to be worthwhile: no mailbox has claimed mails, or some mailbox
   * with claimed mails has at least half of its slots free.
   */
  isClaimWorthwhile(): boolean;
}

interface MailboxLoad {
  busy: number;
  failures: number;
  /** By `performance.now()`, so that a clock that is set back makes no mailbox rest longer. */
  restsUntil: number;
}

/**
 * Creates the slots of one worker. Each mailbox has its own, so that no mailbox delays another.
 * @param options `connections`: maximum connections per mailbox; `random`: returns a number in [0, 1), for
 *   the jitter of pauses
 */
export function createMailboxSlots({
  connections,
  random,
}: {
  connections: number;
  random: () => number;
}): MailboxSlots {
  const slotsPerMailbox = connections * claimsPerConnection;
  const mailboxes = new Map<number, MailboxLoad>();
  const mailboxOf = (mailboxId: number): MailboxLoad => {
    const known = mailboxes.get(mailboxId) ?? { busy: 0, failures: 0, restsUntil: 0 };
    mailboxes.set(mailboxId, known);
    return known;
  };
  const freeOf = ({ busy, failures, restsUntil }: MailboxLoad): number => {
    if (restsUntil > performance.now()) return 0;
    // After a pause, one mail tries the server. The others follow when it was sent.
    if (failures > 0) return busy === 0 ? 1 : 0;
    return Math.max(0, slotsPerMailbox - busy);
  };
  return {
    slotsPerMailbox,
    list: () => [...mailboxes].map(([mailboxId, mailbox]) => ({ mailboxId, free: freeOf(mailbox) })),
    enter(mailboxId) {
      mailboxOf(mailboxId).busy += 1;
    },
    leave(mailboxId) {
      const mailbox = mailboxOf(mailboxId);
      mailbox.busy -= 1;
      if (mailbox.busy === 0 && mailbox.failures === 0) mailboxes.delete(mailboxId);
    },
    reportServer(mailboxId, serverDown) {
      const mailbox = mailboxOf(mailboxId);
      if (!serverDown) {
        mailbox.failures = 0;
        mailbox.restsUntil = 0;
        return;
      }
      // Concurrent attempts fail together and count as one failure.
      if (mailbox.restsUntil > performance.now()) return;
      const longest = Math.min(longestRest, firstRest * 2 ** Math.min(mailbox.failures, 10));
      mailbox.failures += 1;
      mailbox.restsUntil = performance.now() + longest / 2 + (random() * longest) / 2;
    },
    mayBegin: (mailboxId) => mailboxOf(mailboxId).restsUntil <= performance.now(),
    pause() {
      const ends = [...mailboxes.values()]
        .map((mailbox) => mailbox.restsUntil - performance.now())
        .filter((rest) => rest > 0);
      return Math.min(Infinity, ...ends);
    },
    isClaimWorthwhile: () => {
      const busy = [...mailboxes.values()].filter((mailbox) => mailbox.busy > 0);
      return busy.length === 0 || busy.some((mailbox) => mailbox.busy <= slotsPerMailbox / 2);
    },
  };
}
