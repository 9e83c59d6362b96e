import { setTimeout as sleep } from 'node:timers/promises';
import { createBatcher } from '../../platform/batcher.ts';
import { Unsuitable } from '../assert-suitable.ts';
import type { Connection } from '../driver/client.ts';
import { openPools, type Pools, type PoolsOptions } from '../pools.ts';
import { openViewerReads, type ViewerReads } from '../reads/viewer-reads.ts';
import { covers, isAhead, isSameLog, type LogPosition, replicaPosition } from './log-position.ts';

/** A streaming replica of the database. */
export interface Replica extends AsyncDisposable, Pick<Pools, 'loads'> {
  /** Its name in metrics and in the log. */
  readonly name: string;
  /** Number of reads under way. */
  readonly underway: number;
  readonly status: ReplicaStatus;
  /**
   * Runs `run` with reads on the replica, whatever its status. Rejects with what `run` throws, or with
   * ReplicaLost as soon as the replica counts as down.
   */
  read<T>(run: (reads: ViewerReads) => Promise<T>): Promise<T>;
  /** Bytes of the primary's log that it had not replayed when it was last queried. Undefined: it is down. */
  readonly lagBytes: number | undefined;
  /**
   * Whether its status is `ok` and it is known to have replayed the log up to `end`. Queries nothing. From
   * then on `status` and `lagBytes` refer to `end`.
   */
  hasReached(end: LogPosition): boolean;
  /**
   * Waits until it has replayed the log up to `end`, by querying its position.
   * @param withinMs milliseconds that this may take; without any answer in that time it is marked as down
   * @returns false when it has not after `withinMs`, and is `behind` from then on, or when its status is not
   *   `ok`
   */
  reach(end: LogPosition, withinMs: number): Promise<boolean>;
  /**
   * Marks it as down after a failed read; its reads under way reject with ReplicaLost. It is down until it
   * has reported its position again.
   */
  lose(): void;
  /**
   * Checks that it can be used: that it follows this primary, and that row-level security applies.
   * @param end where the primary's log ends
   * @throws Unsuitable when it is not a replica of this database, its role could bypass row-level security,
   *   or its connections have another row access; or an error of the driver
   */
  check(end: LogPosition): Promise<void>;
}

/**
 * `behind`: it replays too slowly to be waited for. `down`: it does not answer, or not as a replica.
 * `foreign`: it does not follow this primary. Only one that is `ok` gets reads.
 */
export type ReplicaStatus = 'ok' | 'behind' | 'down' | 'foreign';

/** Milliseconds between two queries for the position of a replica that no read waits for. */
const queryEveryMs = 500;
/** Milliseconds after which a replica that does not answer counts as down. Its reads are then abandoned. */
const silentAfterMs = 1000;

/** The replica stopped answering while it was read from. */
export class ReplicaLost extends Error {
  override readonly name = 'ReplicaLost';
  /** @param replica its name */
  constructor(replica: string) {
    super(`${replica} stopped answering`);
  }
}

/** What is known about a replica. */
interface Knowledge {
  /** Undefined: it did not answer as a replica. */
  replayed?: LogPosition;
  /** The latest end of the primary's log. */
  end?: LogPosition;
  /** The last position that it did not reach in time. */
  missed?: LogPosition;
}

function statusOf({ replayed, end, missed }: Knowledge): ReplicaStatus {
  if (replayed === undefined) return 'down';
  if (end !== undefined && (!isSameLog(replayed, end) || isAhead(replayed, end))) return 'foreign';
  return missed !== undefined && replayed.bytes < missed.bytes ? 'behind' : 'ok';
}

/**
 * Opens the pools of a replica, and queries its position every 500 ms until it is disposed of. It is `down`
 * until it has reported its position, and when it does not answer within a second. `poolSize` is the maximum
 * number of connections of each of two pools: operators' reads and requesters' reads.
 */
export function openReplica(
  connection: Connection,
  { name, poolSize, ...options }: PoolsOptions & { readonly name: string; readonly poolSize: number },
): Replica {
  const pools = openPools(connection, options);
  const reads = openViewerReads(pools, poolSize, { isReplica: true });
  const positions = pools.openDb('positions', { max: 1, rowAccess: 'DESK' }).$client;
  const seen: Knowledge = {};
  /** One function for each read under way, which abandons it. */
  const underway = new Set<() => void>();
  function lose(): void {
    delete seen.replayed;
    for (const abandon of underway) abandon();
  }
  const query = createBatcher<void, void>(async (callers) => {
    const replayed = await replicaPosition(positions).catch(() => undefined);
    if (replayed === undefined) lose();
    else seen.replayed = replayed;
    return callers.map(() => undefined);
  });
  /** Queries its position, and marks it as down without an answer in this time. */
  async function queryWithin(ms: number): Promise<void> {
    const isSilent = await Promise.race([query(), sleep(ms, true, { ref: false })]);
    if (isSilent === true) lose();
  }
  const timer = setInterval(() => void queryWithin(silentAfterMs), queryEveryMs).unref();
  void query();

  return {
    name,
    get underway() {
      return underway.size;
    },
    get status() {
      return statusOf(seen);
    },
    get lagBytes() {
      const { replayed, end } = seen;
      return replayed && Math.max(0, (end?.bytes ?? 0) - replayed.bytes);
    },
    read: (run) =>
      new Promise((resolve, reject) => {
        const abandon = () => reject(new ReplicaLost(name));
        underway.add(abandon);
        const done = run(reads).then(resolve, reject);
        void done.finally(() => underway.delete(abandon));
      }),
    hasReached(end) {
      seen.end = end;
      return statusOf(seen) === 'ok' && covers(seen.replayed!, end);
    },
    async reach(end, withinMs) {
      const deadline = performance.now() + withinMs;
      for (let pauseMs = 1; statusOf(seen) === 'ok'; pauseMs = Math.min(2 * pauseMs, 10)) {
        await queryWithin(withinMs);
        if (seen.replayed !== undefined && covers(seen.replayed, end)) return true;
        else if (performance.now() + pauseMs > deadline) seen.missed = end;
        else await sleep(pauseMs);
      }
      return false;
    },
    lose,
    async check(end) {
      const found = await replicaPosition(positions);
      if (found === undefined || found.cluster !== end.cluster)
        throw new Unsuitable('the server is not a streaming replica of the database of DATABASE_URL');
      await reads.checkRowAccess();
    },
    loads: () => pools.loads().map((load) => ({ ...load, pool: `${name} ${load.pool}` })),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await pools[Symbol.asyncDispose]();
    },
  };
}
