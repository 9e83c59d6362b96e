import type postgres from 'postgres';

/**
 * From now on the server refuses to return a row to the gateway, as it does if a part of the row is lost
 * (XX001). Rows beside it can be read.
 * @param sql as the owner of the tables
 * @param reader only for viewers of this role; for all by default
 */
export async function damageRow(
  sql: postgres.Sql,
  table: 'tickets' | 'messages',
  id: number,
  reader?: 'DESK' | 'OPERATOR',
): Promise<void> {
  const isReader =
    reader === undefined ? 'true' : `current_setting('ticketwire.viewer_role', true) = '${reader}'`;
  await sql.unsafe(`
    create or replace function is_whole(row_id integer) returns boolean language plpgsql stable as $$ begin
      if row_id = ${id} and ${isReader} then
        raise exception 'missing chunk number 0 for toast value 1' using errcode = 'XX001';
      end if;
      return true;
    end $$;
    create policy damaged on ${table} as restrictive for select using (is_whole(id))`);
}
