import { is } from 'drizzle-orm';
import { getTableConfig, PgTable } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { Unsuitable } from './assert-suitable.ts';
import * as tables from './tables.ts';

const configs = Object.values(tables).flatMap((table) => (is(table, PgTable) ? [getTableConfig(table)] : []));
/** Tables to which the gateway's role has no right. It uses them through functions of the owner. */
const ofTheOwner = [tables.ticketSearch, tables.messageSearch, tables.searchProgress].map(
  (table) => getTableConfig(table).name,
);

/**
 * Checks that a database which a later version has migrated still has all tables and columns of this one.
 * Otherwise each statement with one of them would fail, after a start that looked like a good one.
 * @throws Unsuitable that names some of those that are missing; an error of the driver
 */
export async function assertHasColumns(sql: postgres.Sql): Promise<void> {
  const columns = configs.flatMap(({ name, columns: its }) =>
    its.map((column) => ({ table: name, column: column.name })),
  );
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

/**
 * Checks that the role as which the connection acts may read and write the tables. Whoever restores a dump
 * without its rights, or before the role is there, has tables and row-level security, and no rights.
 * @throws Unsuitable that names some of the tables to which it has no right; an error of the driver
 */
export async function assertHasRights(sql: postgres.Sql): Promise<void> {
  const names = configs.map(({ name }) => name).filter((name) => !ofTheOwner.includes(name));
  const denied = await sql<{ role: string; name: string }[]>`
    select current_user as role, name
    from json_array_elements_text(${JSON.stringify(names)}::text::json) as name
    where not (has_table_privilege(to_regclass('public.' || name), 'SELECT')
      and has_table_privilege(to_regclass('public.' || name), 'INSERT'))
    order by name limit 5`;
  if (denied.length === 0) return;
  const { role } = denied[0]!;
  throw new Unsuitable(
    `the role ${role} has no right to tables (${denied.map(({ name }) => name).join(', ')}), as in a ` +
      `restored database when ${role} was missing or pg_restore left out privileges: restore it again, ` +
      'as docs/OPERATIONS.md says',
  );
}
