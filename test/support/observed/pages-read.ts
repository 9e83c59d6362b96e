import type postgres from 'postgres';

/**
 * Counts the pages of these tables and their indexes that are read meanwhile, as the server counts them.
 * @param sql of one connection, whose own reads are counted at once; those of others when they end
 */
export async function pagesRead(
  sql: postgres.Sql,
  tables: readonly string[],
  work: () => Promise<unknown>,
): Promise<number> {
  const read = async () => {
    // What this session has done itself, such as filling the tables, is counted up to a second later unless
    // it is told now.
    await sql`select pg_stat_force_next_flush()`;
    await sql`select pg_stat_clear_snapshot()`;
    const [row] = await sql<{ pages: number }[]>`
      select sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::int as pages
      from pg_statio_user_tables where relname in ${sql(tables)}`;
    return row!.pages;
  };
  const before = await read();
  await work();
  return (await read()) - before;
}
