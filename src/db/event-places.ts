import type postgres from 'postgres';
import { ownerTransaction, takeMigrationLock } from './migration-lock.ts';

/**
 * Advances the places of new events beyond the last one, if they are not beyond it already. In a dump that
 * was restored into another cluster, places come from transaction ids that the new cluster has not reached,
 * so new events would precede old ones. Each start calls it after the migrations, as the owner of the tables.
 * @param say called with what the start is waiting for, if another process holds the migration lock
 */
export async function continuePlaces(client: postgres.Sql, say: (waitsFor: string) => void): Promise<void> {
  if ((await missing(client)) <= 0) return;
  await ownerTransaction(client, async (tx) => {
    await takeMigrationLock(tx, say);
    const offset = await missing(tx);
    if (offset <= 0) return;
    await tx.unsafe(
      `create or replace function xact_offset() returns bigint language sql stable parallel safe
        return ${offset + (await current(tx))}`,
    );
  });
}

/** How much more the offset must be, at least. */
async function missing(sql: postgres.ISql): Promise<number> {
  const [row] = await sql<[{ missing: number }]>`
    select (coalesce(max(place), 0) + 1 - public.xact_offset()
      - pg_snapshot_xmax(pg_current_snapshot())::text::bigint)::float8 as missing from public.events`;
  return row.missing;
}

async function current(sql: postgres.ISql): Promise<number> {
  const [row] = await sql<[{ offset: number }]>`select public.xact_offset()::float8 as "offset"`;
  return row.offset;
}
