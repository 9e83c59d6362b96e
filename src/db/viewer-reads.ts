import { sql } from 'drizzle-orm';
import type { Viewer } from '../platform/request-context.ts';
import { assertSight } from './assert-suitable.ts';
import type { Pools, Reader } from './pools.ts';

/** Reads as the viewer, under row-level security. A requester's read is one read-only transaction. */
export type ReadAs = <T>(viewer: Viewer, read: (db: Reader) => Promise<T>) => Promise<T>;

/** Reads of viewers on one server. */
export interface ViewerReads {
  readonly readAs: ReadAs;
  /**
   * Checks one connection of each kind.
   * @throws when the server does not answer, or when its role could bypass row-level security or does not see
   *   the desk
   */
  checkSight(): Promise<void>;
}

/**
 * Opens the two pools for the reads of viewers.
 * @param size maximum connections of each
 */
export function openViewerReads(pools: Pools, size: number): ViewerReads {
  const operators = pools.openDb('operators', { max: size, sight: 'OPERATOR' });
  const requesters = pools.openDb('requesters', { max: size, sight: '' });
  return {
    readAs(viewer, read) {
      // All operators see the same rows. Their pool sets the role once, so each read is one round trip.
      if (viewer.role === 'OPERATOR') return read(operators);
      return requesters.transaction(
        async (tx) => {
          await tx.execute(
            sql`select set_config('ticketwire.viewer_role', 'REQUESTER', true),
              set_config('ticketwire.viewer_id', ${String(viewer.userId)}, true)`,
          );
          return read(tx);
        },
        { accessMode: 'read only' },
      );
    },
    async checkSight() {
      await assertSight(requesters.$client, '');
      await assertSight(operators.$client, 'OPERATOR');
    },
  };
}
