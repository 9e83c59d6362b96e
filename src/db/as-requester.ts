import type postgres from 'postgres';
import type { Viewer } from '../platform/request-context.ts';

const beRequester = `select set_config('transaction_read_only', 'on', true),
  set_config('ticketwire.viewer_role', 'REQUESTER', true), set_config('ticketwire.viewer_id', $1, true)`;

/**
 * Runs a read in a read-only transaction, under row-level security. Who reads is sent together with the read,
 * in one round trip.
 */
export function asRequester<T>(
  pool: postgres.Sql,
  { userId }: Viewer,
  read: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<T> {
  return pool.begin(async (tx) => {
    const told = tx.unsafe(beRequester, [String(userId)], { prepare: true }).execute();
    const [found] = await Promise.all([read(tx), told]);
    return found;
  }) as Promise<T>;
}
