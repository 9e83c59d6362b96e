import { expect, test } from 'vitest';
import { createTestDatabase } from '../../support/database.ts';
import { soaking } from '../../support/soak.ts';

/** So many that reading them through is more than the bounds below. */
const tickets = soaking ? 6000 : 3000;

test('a requester’s search reads 2,000 tickets of a status, whatever the statistics say', async () => {
  await using database = await createTestDatabase('demo');
  const sql = database.asOwner();
  const [large, small] = await sql<{ id: number }[]>`
    insert into users (login, name, email, role)
    values ('large', 'L', 'l@domain.com', 'REQUESTER'), ('small', 'S', 's@domain.com', 'REQUESTER')
    returning id`;
  await sql`insert into tickets (reference, subject, status, requester_id)
    select 'BIG-' || n, 'zebra ' || n, 'CLOSED', case when n % 1000 = 0 then ${small!.id}::int
      else ${large!.id}::int end from generate_series(1, ${tickets}) n`;
  /** What a search finds, and how many rows it reads. */
  const search = (id: number) =>
    sql.begin(async (tx) => {
      await tx`select set_config('ticketwire.viewer_role', 'REQUESTER', true),
        set_config('ticketwire.viewer_id', ${String(id)}, true)`;
      const readSoFar = async () => {
        const [row] = await tx<{ rows: number }[]>`select sum(seq_tup_read + idx_tup_fetch)::int as rows
          from pg_stat_xact_user_tables where relname in ('tickets', 'ticket_search')`;
        return row!.rows;
      };
      const before = await readSoFar();
      const found = await tx`select find_own_ticket_ids('zebra', null, 2147483647)`;
      return { found: found.length, rows: (await readSoFar()) - before };
    });
  for (const prepared of ['select', 'analyze tickets, ticket_search', 'vacuum tickets, ticket_search']) {
    await sql.unsafe(prepared);
    for (let n = 0; n < 7; n++) {
      const [ofLarge, ofSmall] = [await search(large!.id), await search(small!.id)];
      expect([prepared, ofLarge.found, ofSmall.found]).toEqual([prepared, 2000, tickets / 1000]);
      expect([prepared, ofLarge.rows <= 4000, ofSmall.rows <= tickets / 500]).toEqual([prepared, true, true]);
    }
  }
});
