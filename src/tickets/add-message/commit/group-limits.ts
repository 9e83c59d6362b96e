/** Limits and timing of the writer of new messages, `createGroupCommit`. */
export interface GroupCommitLimits {
  /** Most messages without an answer yet, 4096 by default. Further callers get a 503. */
  readonly maxUnanswered?: number;
  /**
   * Most bytes of the bodies of unanswered messages in UTF-8, plus 512 for each message; 128 MiB by default.
   * Further callers get a 503.
   */
  readonly maxUnansweredBytes?: number;
  /** Most rows of one statement, 64 by default; see group-pace.ts. */
  readonly groupRows?: number;
  /**
   * Most statements at a time, besides those that wait for locked tickets. Two by default: one executes while
   * the other waits for its commit's fsync. More would contend for the same locks.
   */
  readonly statementsInFlight?: number;
  /** Fewest rows worth a statement while another is in flight, 16 by default; see group-pace.ts. */
  readonly worthwhileRows?: number;
  /**
   * Milliseconds after which a smaller group is sent as well, because the other statement may wait for a
   * lock; 4 by default. When no statement is in flight, a group waits half as long.
   */
  readonly patience?: number;
  /** Milliseconds that a message waits for a locked ticket, 5000 by default. Then its caller gets a 503. */
  readonly lockPatience?: number;
}

/**
 * Most statements of the writer that run at the same time. It needs as many connections. Up to half of the
 * statements wait for locked tickets.
 */
export const writerStatements = ({ statementsInFlight = 2 }: GroupCommitLimits = {}): number =>
  2 * statementsInFlight;
