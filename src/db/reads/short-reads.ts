import { errorCodeOf } from '../../platform/database-faults.ts';
import type { DbPool, Pools } from '../pools.ts';
import type { ReadTexts, TextRow } from '../run-statement.ts';

/*
 * Ten connections with one short statement each take the processor from the gateway and then wait for it.
 * Two, to which the next statements are sent before the answers have come, answer a fifth more of them a
 * second.
 */

/** Milliseconds after which the server ends a statement here. It is then run again on another connection. */
const endAfterMs = 250;
/** Milliseconds without an answer after which no further statements are sent to a connection. */
const stalledAfterMs = 20;
/** Statements that may wait on a connection, including the one that is being executed. */
const mostPending = 32;

/**
 * The server ended the statement or the connection, or the connection was lost. Up to 32 statements would
 * fail together, and since they only read, they may be run again.
 */
const isInterrupted = (error: unknown): boolean =>
  /^(57014|57P0[12]|CONNECTION_|ECONNRESET|EPIPE)/.test(errorCodeOf(error) ?? '');

/** Runs a read. */
export type RunRead = <V>(statement: ReadTexts<V>, values: V) => Promise<TextRow[]>;

/**
 * Opens connections for short reads by operators. A statement is sent behind others, so it may wait for them:
 * for 250 ms each at most. While a connection is stalled or has 32 statements, further ones go elsewhere. One
 * that takes longer, or whose connection is lost, is run again elsewhere.
 * @param connections their number; may be 0
 * @param others the connections elsewhere
 */
export function openShortReads(pools: Pools, connections: number, others: DbPool): RunRead {
  const lanes = Array.from({ length: connections }, (_, n) => new Lane(pools, n + 1));
  return async (statement, values) => {
    const now = performance.now();
    const free = lanes.filter((lane) => lane.isFree(now));
    if (free.length === 0) return statement(others.$client, values);
    const lane = free.reduce((least, next) => (next.pending < least.pending ? next : least));
    try {
      return await lane.run(statement, values);
    } catch (error) {
      if (!isInterrupted(error)) throw error;
      return statement(others.$client, values);
    }
  };
}

/** One connection. */
class Lane {
  readonly #pool: DbPool;
  pending = 0;
  /** When it last answered; if nothing was pending then, when the next statement was sent. */
  #progressAt = 0;

  constructor(pools: Pools, number: number) {
    this.#pool = pools.openDb(`operators-short-${number}`, {
      max: 1,
      rowAccess: 'OPERATOR',
      statementTimeoutMs: endAfterMs,
      isPipelined: true,
    });
  }

  isFree(now: number): boolean {
    return this.pending === 0 || (this.pending < mostPending && now - this.#progressAt < stalledAfterMs);
  }

  async run<V>(statement: ReadTexts<V>, values: V): Promise<TextRow[]> {
    if (this.pending === 0) this.#progressAt = performance.now();
    this.pending += 1;
    try {
      return await statement(this.#pool.$client, values);
    } finally {
      this.pending -= 1;
      this.#progressAt = performance.now();
    }
  }
}
