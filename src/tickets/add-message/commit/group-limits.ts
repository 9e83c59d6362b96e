export interface GroupCommitLimits {
  /** Messages waiting at most; past it, callers are told to come again. */
  readonly queueRows?: number;
  readonly queueBytes?: number;
  /** Rows of one statement at most; see pace.ts. */
  readonly groupRows?: number;
  /**
   * Two: while one waits for its commit to reach the disk, the other executes. More only fight for the same
   * locks.
   */
  readonly statementsInFlight?: number;
  readonly worthwhileRows?: number;
  /**
   * Milliseconds after which fewer go as well: the other may be waiting for somebody's lock. Half of them
   * when there is no other.
   */
  readonly patience?: number;
  /** Milliseconds that a message waits for a ticket that somebody else has locked. */
  readonly lockPatience?: number;
}

/**
 * Statements of the writer in flight at most, those that wait for locked tickets among them: at most a half.
 */
export const writerStatements = ({ statementsInFlight = 2 }: GroupCommitLimits = {}): number =>
  2 * statementsInFlight;
