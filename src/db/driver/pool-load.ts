import type { PoolLoad } from '../../observe/gauges.ts';
import type { Wire } from './postgres-socket.ts';

/**
 * Holds the load of one pool, which the driver does not expose. `openClient` keeps `wires` up to date, and
 * `withDeadline` or `countStatements` keeps `underway`.
 */
export class LoadCounter {
  readonly pool: string;
  readonly #size: number;
  readonly wires = new Set<Wire>();
  /** Pending statements and transactions. */
  underway = 0;

  constructor(pool: string, size: number) {
    this.pool = pool;
    this.#size = size;
  }

  /** Whether a connection is open, or a statement waits for one. */
  get isInUse(): boolean {
    return this.wires.size > 0 || this.underway > 0;
  }

  /** The current numbers. `waiting`: statements beyond the size of the pool. */
  now(): PoolLoad {
    let busy = 0;
    for (const { silentSince } of this.wires) if (silentSince !== undefined) busy += 1;
    const waiting = Math.max(0, this.underway - this.#size);
    return { pool: this.pool, open: this.wires.size, busy, waiting };
  }
}
