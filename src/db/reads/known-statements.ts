/**
 * Remembers which statements are short. Instants are by `performance.now()`.
 */
export class KnownStatements {
  readonly #restMs: number;
  /** From when a statement may be tried again; `-Infinity` if it is short. */
  readonly #triedFrom = new WeakMap<object, number>();

  /** @param restMs milliseconds from a trial, or from when a statement was long, to the next trial */
  constructor(restMs: number) {
    this.#restMs = restMs;
  }

  /**
   * Whether a run now is the statement's trial; false if it is known to be short; undefined if it is not to
   * be run. Only one trial begins in each rest.
   */
  isTrial(statement: object, now: number): boolean | undefined {
    const from = this.#triedFrom.get(statement) ?? 0;
    if (from === Number.NEGATIVE_INFINITY) return false;
    if (now < from) return undefined;
    this.#triedFrom.set(statement, now + this.#restMs);
    return true;
  }

  /** Called when a trial was short. */
  wasShort(statement: object): void {
    this.#triedFrom.set(statement, Number.NEGATIVE_INFINITY);
  }

  /** Called when any run was too long. */
  wasLong(statement: object, now: number): void {
    this.#triedFrom.set(statement, now + this.#restMs);
  }
}
