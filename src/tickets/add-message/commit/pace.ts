export interface PaceLimits {
  /**
   * Rows of one statement at most: past 64, a longer statement gains nothing and its first caller waits for
   * its last.
   */
  readonly groupRows: number;
  /**
   * Rows that are worth a statement while another is in flight: it costs PostgreSQL as much before its first
   * row as for several of them, and two that share the callers evenly write more together than a long and a
   * short one. Up to twice as many when the other took more; three quarters of its rows are even enough, or
   * the last straggler would be waited for.
   */
  readonly worthwhileRows: number;
  /** Milliseconds for which callers who were answered are expected to come again. */
  readonly patience: number;
}

export interface InFlight {
  readonly statements: number;
  readonly rows: number;
}

/** When rows that wait are sent, and when they are kept for a moment, as more are about to come. */
export interface Pace {
  isEnough(queued: number, inFlight: InFlight): boolean;
  /** A caller came. */
  came(): void;
  /** Callers are about to be answered. */
  answers(callers: number): void;
}

export function createPace({ groupRows, worthwhileRows, patience }: PaceLimits): Pace {
  /** Callers answered a moment ago that have not come again. */
  let expected = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  const comingAgain = () => (performance.now() - answeredAt < patience ? expected : 0);

  const worthwhileBeside = ({ statements, rows }: InFlight) =>
    Math.max(worthwhileRows, Math.min((0.75 * rows) / statements, 2 * worthwhileRows));

  function worthwhileAlone(queued: number): number {
    // Callers of long statements come again at once, if they do. Were the first of them sent alone, all
    // others would wait for its end; unless they are so many that there is always enough for both statements.
    const callers = queued + comingAgain();
    const areSome = callers >= worthwhileRows / 2 && callers <= 3 * worthwhileRows;
    return areSome ? Math.min(worthwhileRows, 0.75 * callers) : 1;
  }

  return {
    isEnough(queued, inFlight) {
      const worthwhile = inFlight.statements > 0 ? worthwhileBeside(inFlight) : worthwhileAlone(queued);
      // What is as long as a statement may be is worth one.
      return queued >= Math.min(groupRows, worthwhile);
    },
    came: () => (expected = Math.max(0, expected - 1)),
    answers(callers) {
      expected = callers + comingAgain();
      answeredAt = performance.now();
    },
  };
}
