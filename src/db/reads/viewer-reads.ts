import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import type { Viewer } from '../../platform/request-context.ts';
import { assertRowAccess } from '../assert-suitable.ts';
import type { Pools, Reader } from '../pools.ts';
import type { ReadTexts, TextRow } from '../run-statement.ts';
import { openShortReads } from './short-reads.ts';

/** Reads of viewers, under row-level security. They cannot read what the viewer may not see. */
export interface ViewerReads {
  /**
   * Runs `read` with a database that shows what the viewer may see, and returns its result. A requester's
   * read is one read-only transaction. An operator's is none: `db` is a pool, and each statement sees the
   * commits before it.
   * @throws what `read` throws; for a requester, also the driver's error when the transaction cannot begin
   */
  readAs<T>(viewer: Viewer, read: (db: Reader) => Promise<T>): Promise<T>;
  /**
   * Runs one statement that returns texts as the viewer. It takes a requester two round trips fewer.
   * @param duration SHORT, the default: an operator's statement shares a connection with others, and is run
   *   again on another one when it has taken 250 ms. LONG: it has a connection of its own
   */
  readTextsAs<V>(
    viewer: Viewer,
    statement: ReadTexts<V>,
    values: V,
    duration?: 'SHORT' | 'LONG',
  ): Promise<TextRow[]>;
}

/** Reads of viewers on one server. */
export interface ServerReads extends ViewerReads {
  /**
   * Checks one connection of each kind.
   * @throws Unsuitable when the role could bypass row-level security, or the connections have another row
   *   access; or an error of the driver, as when the server does not answer
   */
  checkRowAccess(): Promise<void>;
}

/**
 * Opens the pools for the reads of viewers.
 * @param size maximum connections for operators, and for requesters. Up to two of the operators' are for
 *   short statements
 * @param options `isReplica`: a read whose connection is lost always throws. A replica that was restarted may
 *   be behind what it had replayed, so the read may not be run again on it. False by default
 */
export function openViewerReads(pools: Pools, size: number, { isReplica = false } = {}): ServerReads {
  const forShort = Math.min(2, Math.floor(size / 2));
  const operators = pools.openDb('operators', { max: size - forShort, rowAccess: 'OPERATOR' });
  const readShort = openShortReads(pools, operators, { connections: forShort, throwsLoss: isReplica });
  const requesters = pools.openDb('requesters', { max: size, rowAccess: '' });
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
    readTextsAs(viewer, statement, values, duration = 'SHORT') {
      if (viewer.role === 'OPERATOR')
        return duration === 'SHORT' ? readShort(statement, values) : statement(operators.$client, values);
      return asRequester(requesters.$client, viewer, (tx) => statement(tx, values));
    },
    async checkRowAccess() {
      await assertRowAccess(requesters.$client, '');
      await assertRowAccess(operators.$client, 'OPERATOR');
    },
  };
}

const beRequester = `select set_config('transaction_read_only', 'on', true),
  set_config('ticketwire.viewer_role', 'REQUESTER', true), set_config('ticketwire.viewer_id', $1, true)`;

/** Who reads is sent together with the read, in one round trip. */
function asRequester<T>(
  pool: postgres.Sql,
  { userId }: Viewer,
  read: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  return pool.begin(async (tx) => {
    const identified = tx.unsafe(beRequester, [String(userId)], { prepare: true }).execute();
    const [found] = await Promise.all([read(tx), identified]);
    return found;
  }) as Promise<T>;
}
