import type { PoolLoad } from '../../observe/metrics.ts';
import type { Wire } from './wire.ts';

/**
 * How busy one pool is. The driver does not tell; its connections' wires do, and so does who waits for it.
 */
export class Load {
  readonly pool: string;
  readonly #size: number;
  readonly wires = new Set<Wire>();
  /** Statements and transactions that were asked for and have not ended. */
  underway = 0;

  constructor(pool: string, size: number) {
    this.pool = pool;
    this.#size = size;
  }

  now(): PoolLoad {
    let busy = 0;
    for (const { silentSince } of this.wires) if (silentSince !== undefined) busy += 1;
    const waiting = Math.max(0, this.underway - this.#size);
    return { pool: this.pool, open: this.wires.size, busy, waiting };
  }
}
