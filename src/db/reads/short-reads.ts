import { errorCodeOf, mayAnswerElsewhere } from '../../platform/database-faults.ts';
import type { DbPool, Pools } from '../pools.ts';
import type { ReadTexts, TextRow } from '../run-statement.ts';
import { KnownStatements } from './known-statements.ts';

/*
 * Ten connections with one short statement each take the processor from the gateway and then wait for it.
 * Two, to which the next statements are sent before the answers have come, answer more of them a second: of
 * lists a third, of pages a tenth.
 */

/** Milliseconds after which the server ends a statement here. It is then run again on another connection. */
const endAfterMs = 250;
/** Milliseconds without an answer after which no further statements are sent to a connection. */
const stalledAfterMs = 20;
/** Statements that may wait on a connection, including the one that is being executed. */
const mostPending = 32;
/** Milliseconds in which a connection that was lost or did not open is not used again. */
const restMs = 60_000;

/** Whether the server ended the statement. */
const isEnded = (error: unknown): boolean => errorCodeOf(error) === '57014';

/** Runs a read. */
export type RunRead = <V>(statement: ReadTexts<V>, values: V) => Promise<TextRow[]>;

/**
 * Opens connections for short reads by operators. A statement is sent behind others, so it may wait for them.
 * While a connection is stalled or has 32 statements, further ones go elsewhere. One that takes more than
 * 250 ms, or whose connection is lost or does not open, is run again elsewhere, with those that wait behind
 * it. The statement then goes elsewhere at once for a while, and the connection is left alone for a minute.
 * Of a statement about which nothing is known, the first run is a trial, during which the others go
 * elsewhere.
 * @param others the connections elsewhere
 * @param options `connections`: their number, may be 0; `throwsLoss`: whether a read throws when its
 *   connection is lost or does not open, instead of being run again
 */
export function openShortReads(
  pools: Pools,
  others: DbPool,
  { connections, throwsLoss }: { readonly connections: number; readonly throwsLoss: boolean },
): RunRead {
  const lanes = Array.from({ length: connections }, (_, n) => new Lane(pools, n + 1));
  const known = new KnownStatements();
  return async (statement, values) => {
    const now = performance.now();
    const free = lanes.filter((lane) => lane.isFree(now));
    const admitted = free.length > 0 ? known.admit(statement, now) : undefined;
    if (admitted === undefined) return statement(others.$client, values);
    const lane = free.reduce((least, next) => (next.pending < least.pending ? next : least));
    try {
      const rows = await lane.run(statement, values);
      if (admitted === 'TRIAL') known.wasShort(statement);
      return rows;
    } catch (error) {
      if (isEnded(error)) known.wasLong(statement, performance.now());
      else if (mayAnswerElsewhere(error)) {
        // Up to 32 statements fail together, and while the server opens no connection, there are others.
        lane.rest();
        if (throwsLoss) throw error;
      } else if (!(error instanceof Abandoned)) throw error;
      return statement(others.$client, values);
    }
  };
}

/** One connection. */
class Lane {
  readonly #pool: DbPool;
  /** Statements that were sent and have no answer. */
  pending = 0;
  /** When it last answered; if nothing was pending then, when the next statement was sent. */
  #progressAt = 0;
  #restsUntil = 0;
  /** Statements were abandoned, and some of them are still pending. */
  #isAbandoned = false;
  /** One function for each read that waits for its answer, which abandons it. */
  readonly #waiting = new Set<(error: Abandoned) => void>();

  constructor(pools: Pools, number: number) {
    this.#pool = pools.openDb(`operators-short-${number}`, {
      max: 1,
      rowAccess: 'OPERATOR',
      statementTimeoutMs: endAfterMs,
      isPipelined: true,
    });
  }

  isFree(now: number): boolean {
    if (this.#isAbandoned || now < this.#restsUntil) return false;
    return this.pending === 0 || (this.pending < mostPending && now - this.#progressAt < stalledAfterMs);
  }

  /** It is not free for a minute. */
  rest(): void {
    this.#restsUntil = performance.now() + restMs;
  }

  /** @throws Abandoned when a statement before this one was ended; what the statement throws */
  run<V>(statement: ReadTexts<V>, values: V): Promise<TextRow[]> {
    if (this.pending === 0) this.#progressAt = performance.now();
    this.pending += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      const done = () => {
        this.#waiting.delete(reject);
        this.pending -= 1;
        this.#progressAt = performance.now();
        if (this.pending === 0) this.#isAbandoned = false;
      };
      statement(this.#pool.$client, values).then(
        (rows) => {
          done();
          resolve(rows);
        },
        (error) => {
          done();
          if (isEnded(error)) this.#abandon();
          reject(error);
        },
      );
    });
  }

  /** Those that wait may be as long as the one that was ended. */
  #abandon(): void {
    this.#isAbandoned = this.pending > 0;
    for (const reject of this.#waiting) reject(new Abandoned());
    this.#waiting.clear();
  }
}

/** A statement before this one was ended. */
class Abandoned extends Error {
  override readonly name = 'Abandoned';
}
