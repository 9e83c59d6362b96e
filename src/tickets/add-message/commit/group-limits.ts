export interface GroupCommitLimits {
  /** Most messages in the queue. Beyond it, callers get a 503. */
  readonly queueRows?: number;
  readonly queueBytes?: number;
  /** Most rows of one statement; see pace.ts. */
  readonly groupRows?: number;
  /**
   * Two by default: one executes while the other waits for its commit's fsync. More would contend for the
   * same locks.
   */
  readonly statementsInFlight?: number;
  readonly worthwhileRows?: number;
  /**
   * Milliseconds after which a smaller group is sent as well, because the other statement may wait for a
   * lock. Half of that when no statement is in flight.
   */
  readonly patience?: number;
  /** Milliseconds that a message waits for a locked ticket. */
  readonly lockPatience?: number;
}

/** Most statements of the writer in flight. At most half of them wait for locked tickets. */
export const writerStatements = ({ statementsInFlight = 2 }: GroupCommitLimits = {}): number =>
  2 * statementsInFlight;
