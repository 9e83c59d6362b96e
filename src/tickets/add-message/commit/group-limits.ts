/** Limits and timing of the writer. */
export interface GroupCommitLimits {
  /** Most messages in the queue, 4096 by default. Beyond it, callers get a 503. */
  readonly queueRows?: number;
  /** Most bytes of bodies in the queue, 128 MiB by default. */
  readonly queueBytes?: number;
  /** Most rows of one statement; see group-pace.ts. */
  readonly groupRows?: number;
  /**
   * Two by default: one executes while the other waits for its commit's fsync. More would contend for the
   * same locks.
   */
  readonly statementsInFlight?: number;
  /** Fewest rows worth a statement while another is in flight; see group-pace.ts. */
  readonly worthwhileRows?: number;
  /**
   * Milliseconds after which a smaller group is sent as well, because the other statement may wait for a
   * lock. Half of that when no statement is in flight.
   */
  readonly patience?: number;
  /** Milliseconds that a message waits for a locked ticket. */
  readonly lockPatience?: number;
}

/**
 * Most statements of the writer that run at the same time, including those that wait for locked tickets,
 * which are at most half of them.
 */
export const writerStatements = ({ statementsInFlight = 2 }: GroupCommitLimits = {}): number =>
  2 * statementsInFlight;
