import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { Unsuitable } from './assert-suitable.ts';
import * as tables from './tables.ts';

/**
 * Checks that a database which a later version has migrated still has all tables and columns of this one.
 * Otherwise each statement with one of them would fail, after a start that looked like a good one.
 * @throws Unsuitable that names some of those that are missing; an error of the driver
 */
export async function assertHasColumns(sql: postgres.Sql): Promise<void> {
  const columns = Object.values(tables).flatMap((table) => {
    if (!is(table, PgTable)) return [];
    const { name, columns: its } = getTableConfig(table);
    return its.map((column) => ({ table: name, column: column.name }));
  });
  const missing = await sql<{ name: string }[]>`
    select "table" || '.' || "column" as name
    from json_to_recordset(${JSON.stringify(columns)}::text::json) as c ("table" text, "column" text)
    where not exists (
      select from pg_attribute
      where attrelid = to_regclass('public.' || "table") and attname = "column" and not attisdropped
    ) order by 1 limit 5`;
  if (missing.length === 0) return;
  throw new Unsuitable(
    'a later version has migrated the database and removed what this version uses ' +
      `(${missing.map(({ name }) => name).join(', ')}): start a later version, or restore the backup that ` +
      'was made before the upgrade',
  );
}
