import type { PoolLoad } from '../../observe/gauges.ts';
import type { Wire } from './postgres-socket.ts';

/**
 * Counts the load of one pool, which the driver does not expose. `openClient` keeps `wires` up to date, and
 * `withDeadline` keeps `pending`, where a pool is wrapped by it.
 */
export class LoadCounter {
  readonly pool: string;
  readonly #size: number;
  /** The open connections. */
  readonly wires = new Set<Wire>();
  readonly #isCounted: boolean;
  /** Pending statements and transactions. */
  pending = 0;

  /**
   * @param size maximum number of connections
   * @param options `isCounted`: whether `pending` is kept up to date
   */
  constructor(pool: string, size: number, { isCounted = false } = {}) {
    this.pool = pool;
    this.#size = size;
    this.#isCounted = isCounted;
  }

  /** Whether a connection is open, or a statement waits for one. */
  get isInUse(): boolean {
    return this.wires.size > 0 || this.pending > 0;
  }

  /**
   * The current numbers. `busy`: connections with an outstanding answer. `waiting`: statements beyond the
   * size of the pool; undefined if they are not counted.
   */
  now(): PoolLoad {
    let busy = 0;
    for (const { silentSince } of this.wires) if (silentSince !== undefined) busy += 1;
    const waiting = this.#isCounted ? Math.max(0, this.pending - this.#size) : undefined;
    return { pool: this.pool, open: this.wires.size, busy, waiting };
  }
}
