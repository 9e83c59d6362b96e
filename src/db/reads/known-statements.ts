/** Milliseconds from when a statement was long, or from its first trial, to its next trial. */
const firstRestMs = 10_000;
/** Each further trial that was not short doubles them, up to these. */
const longestRestMs = 600_000;

interface Known {
  /** From when it may be tried again. */
  readonly triedFrom: number;
  /** How long it rests after the next trial, if that is not short. */
  readonly restMs: number;
}

const unknown: Known = { triedFrom: 0, restMs: firstRestMs };
const short = 'SHORT';

/**
 * Remembers which statements are short. One about which nothing is known is tried, and one that was long is
 * tried again after 10 s, and then after longer and longer: a stall of the machine does not make a statement
 * long, and a slow desk hardly pays for trials. Instants are by `performance.now()`.
 */
export class KnownStatements {
  readonly #known = new WeakMap<object, Known | typeof short>();

  /**
   * Whether the statement may run now: as a TRIAL, or FREELY if it is known to be short. Undefined: it may
   * not. No trial begins while another one may be under way.
   */
  admit(statement: object, now: number): 'TRIAL' | 'FREELY' | undefined {
    const known = this.#known.get(statement) ?? unknown;
    if (known === short) return 'FREELY';
    const { triedFrom, restMs } = known;
    if (now < triedFrom) return undefined;
    this.#known.set(statement, { triedFrom: now + restMs, restMs: Math.min(2 * restMs, longestRestMs) });
    return 'TRIAL';
  }

  /** Called when a trial was short. */
  wasShort(statement: object): void {
    this.#known.set(statement, short);
  }

  /** Called when any run was too long. Where many were sent before the first of them was, that one counts. */
  wasLong(statement: object, now: number): void {
    if (this.#known.get(statement) !== short) return;
    this.#known.set(statement, { triedFrom: now + firstRestMs, restMs: 2 * firstRestMs });
  }
}
