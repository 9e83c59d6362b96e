import { createBatcher } from '../../platform/batcher.ts';
import { isConflict, mayAnswerElsewhere } from '../../platform/database-faults.ts';
import type { Pools } from '../pools.ts';
import type { ViewerReads } from '../reads/viewer-reads.ts';
import { type LogPosition, primaryPosition } from './log-position.ts';
import { type Replica, ReplicaLost } from './replica.ts';

/**
 * How long a read waits for a replica that replays a little later than the primary writes. It is more than
 * a commit takes to arrive, and less than anybody notices.
 */
const patienceMs = 30;

/** Reads of viewers that replicas answer if they can, and the primary otherwise. */
export interface ReplicatedReads extends ViewerReads {
  readonly replicas: readonly Replica[];
  /** Number of reads that each kind of server answered since the start of the process. */
  readonly counts: Readonly<Record<'primary' | 'replica', number>>;
  /**
   * Checks that each replica can be used. Called at the start.
   * @param found called for each replica that cannot be used, with the error
   * @throws an error of the driver when the primary does not answer, or what `found` throws
   */
  check(found: (replica: Replica, error: unknown) => unknown): Promise<void>;
}

/**
 * Creates reads that prefer replicas and never miss a commit that preceded them, whoever made it and through
 * whichever process. First the primary is asked where its log ends, once for all reads that begin meanwhile,
 * and a replica that has replayed the log up to there answers. If none has within 30 ms, the primary answers.
 * If the chosen replica is lost or cancels the read, the read is run again on the primary, so it may be
 * called twice. Errors of the read itself are thrown.
 * @param primary its pools
 * @param primaryReads reads on the primary
 */
export function readFromReplicas(
  primary: Pools,
  primaryReads: ViewerReads,
  replicas: readonly Replica[],
): ReplicatedReads {
  const positions = primary.openDb('positions', { max: 1, rowAccess: 'DESK' }).$client;
  const counts = { primary: 0, replica: 0 };
  const batched = createBatcher<void, LogPosition>(async (callers) => {
    const end = await primaryPosition(positions);
    return callers.map(() => end);
  });

  async function choose(): Promise<Replica | undefined> {
    if (replicas.every(({ status }) => status === 'down')) return undefined;
    // A primary that does not answer this does not answer the read either, and its error is the clearer one.
    const end = await batched().catch(() => undefined);
    if (end === undefined) return undefined;
    const ready = replicas.filter((replica) => replica.hasReached(end));
    if (ready.length > 0)
      return ready.reduce((least, next) => (next.underway < least.underway ? next : least));
    return firstOf(replicas, (replica) => replica.reach(end, patienceMs));
  }

  async function read<T>(run: (reads: ViewerReads) => Promise<T>): Promise<T> {
    const replica = await choose();
    if (replica !== undefined) {
      try {
        const answer = await replica.read(run);
        counts.replica += 1;
        return answer;
      } catch (error) {
        // A conflict: the replica had to remove rows that the statement was reading.
        if (!isConflict(error)) {
          if (!isLost(error)) throw error;
          replica.lose();
        }
      }
    }
    counts.primary += 1;
    return run(primaryReads);
  }

  return {
    counts,
    replicas,
    async check(found) {
      const end = await primaryPosition(positions);
      await Promise.all(
        replicas.map((replica) => replica.check(end).catch((error) => found(replica, error))),
      );
    },
    readAs: (viewer, run) => read((reads) => reads.readAs(viewer, run)),
    readTextsAs: (viewer, ...statement) => read((reads) => reads.readTextsAs(viewer, ...statement)),
  };
}

/** The first item whose test resolves to true. */
async function firstOf<T>(items: readonly T[], test: (item: T) => Promise<boolean>): Promise<T | undefined> {
  const tests = items.map(async (item) =>
    (await test(item)) ? item : Promise.reject(new Error('not this one')),
  );
  return Promise.any(tests).catch(() => undefined);
}

const isLost = (error: unknown): boolean => error instanceof ReplicaLost || mayAnswerElsewhere(error);
