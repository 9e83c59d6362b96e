import { expect, test } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { countRows } from '../../../src/storage/garbage/count-rows.ts';
import { unusedBatch, unusedCount } from '../../../src/storage/garbage/unused-blobs.ts';
import { createTestDatabase } from '../../support/database.ts';
import { pagesRead } from '../../support/observed/pages-read.ts';
import { soaking } from '../../support/soak.ts';

const rows = soaking ? 40_000 : 16_000;

const tables = ['blobs', 'attachments', 'uploads', 'open_uploads'];

test('collecting a sixteenth reads a sixteenth of the tables, whatever the statistics say', async () => {
  await using world = await createTestDatabase();
  const sql = world.asOwner();
  await sql`insert into users (login, name, role) values ('jane', 'Jane', 'REQUESTER')`;
  await sql`insert into tickets (reference, subject, requester_id) values ('INC-1', 'S', 1)`;
  await sql`insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
    select 1, 1, 'B', 'TEXT', 'PUBLIC', false from generate_series(1, ${rows / 20})`;
  await sql`insert into blobs (key, byte_size, sha256, created_at)
    select encode(substr(sha256(n::text::bytea), 1, 20), 'hex'), 1, '', now() - interval '2 days'
    from generate_series(1, ${rows}) n`;
  await sql`insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size,
    sha256)
    select 1 + n / 20, 1 + n % 20, key, 'f', 'text/plain', 1, '' from
    (select key, row_number() over () - 1 as n from blobs) b`;
  await sql`vacuum analyze blobs, attachments`;
  const work = async (range: { from: string; to: string }) => {
    // A connection of its own tells the server what it has read when it ends.
    const database = openDatabase(world.connection, { poolSize: 1 });
    const hourAgo = new Date(Date.now() - 3_600_000);
    expect((await countRows(database.desk, range)).hidden).toBeUndefined();
    expect(await unusedCount(database.desk, range, hourAgo)).toEqual([{ unused: 0 }]);
    expect(await database.desk.transaction((tx) => unusedBatch(tx, range, hourAgo).for('update'))).toEqual(
      [],
    );
    await database[Symbol.asyncDispose]();
    await expect
      .poll(
        () => sql`select from pg_stat_activity where application_name = 'ticketwire'
        and datname = current_database()`,
      )
      .toHaveLength(0);
  };
  const nothing = await pagesRead(sql, tables, () => work({ from: 'g', to: 'g' }));
  const all = (await pagesRead(sql, tables, () => work({ from: '0', to: 'g' }))) - nothing;
  const part = (await pagesRead(sql, tables, () => work({ from: '7', to: '7g' }))) - nothing;
  await sql.end();
  expect(all).toBeGreaterThan(rows / 40);
  expect(part).toBeGreaterThan(0);
  expect(part).toBeLessThan(all / 8);
});
