/** Limits that decide when the queued rows of a writer are sent, as the group of one statement. */
export interface PaceLimits {
  /**
   * The maximum number of rows in one statement. Beyond 64 rows, a longer statement gains nothing, and its
   * first caller has to wait for the last row.
   */
  readonly groupRows: number;
  /**
   * The minimum number of queued rows for which a further statement is sent while others are in flight,
   * because a statement has the fixed cost of several rows. Throughput is highest when the groups are of
   * equal size. So if the groups in flight are larger, the minimum rises to three quarters of their average
   * rows, but never above twice `worthwhileRows`. Three quarters, and not all, so that no group waits for a
   * straggler.
   */
  readonly worthwhileRows: number;
  /** Milliseconds within which callers that were answered are expected to send again. */
  readonly patience: number;
}

/** How many statements are running, and how many rows they have together. */
export interface InFlight {
  readonly statements: number;
  readonly rows: number;
}

/** Decides whether queued rows are sent now or held briefly because more are about to come. */
export interface Pace {
  /**
   * Whether the queued rows are enough to send a statement now. If not, the caller asks again when a row is
   * added or a statement ends, and sends them in any case when `patience` has passed: the pace has no timer,
   * and calls nothing. `groupRows` are always enough. With nothing in flight, one row is enough, unless the
   * callers that are queued or expected again are from half of `worthwhileRows` to three times as many: then
   * three quarters of them are awaited, or `worthwhileRows` if that is less. How many statements may be in
   * flight is the caller's own limit.
   */
  isEnough(queued: number, inFlight: InFlight): boolean;
  /** Must be called once for each caller, before its row is queued; not when a row is queued again. */
  came(): void;
  /** Must be called right before this number of callers is answered. */
  answers(callers: number): void;
}

/** Creates the pace of one writer. */
export function createPace({ groupRows, worthwhileRows, patience }: PaceLimits): Pace {
  /** Callers that were answered recently and have not sent again. */
  let expected = 0;
  let answeredAt = Number.NEGATIVE_INFINITY;
  const comingAgain = () => (performance.now() - answeredAt < patience ? expected : 0);

  const worthwhileBeside = ({ statements, rows }: InFlight) =>
    Math.max(worthwhileRows, Math.min((0.75 * rows) / statements, 2 * worthwhileRows));

  function worthwhileAlone(queued: number): number {
    // Callers of a batch tend to come back together. Sending the first alone would make the others wait a
    // full round trip, so hold it briefly, unless there are enough callers to fill both in-flight statements.
    const callers = queued + comingAgain();
    const areSome = callers >= worthwhileRows / 2 && callers <= 3 * worthwhileRows;
    return areSome ? Math.min(worthwhileRows, 0.75 * callers) : 1;
  }

  return {
    isEnough(queued, inFlight) {
      const worthwhile = inFlight.statements > 0 ? worthwhileBeside(inFlight) : worthwhileAlone(queued);
      // A full group is always sent.
      return queued >= Math.min(groupRows, worthwhile);
    },
    came: () => (expected = Math.max(0, expected - 1)),
    answers(callers) {
      expected = callers + comingAgain();
      answeredAt = performance.now();
    },
  };
}
