import { getTableColumns, getTableName, isSQLWrapper, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/**
 * Where each column of a table gets its value from. Required columns cannot be omitted and unknown ones
 * cannot be named, so a renamed column fails to compile in every statement that writes it.
 */
export type Sources<T extends PgTable> = {
  readonly [K in keyof T['$inferInsert']]: SQLWrapper;
};

/** New values of some columns of a row: values of the column's type, or SQL. */
export type Changes<T extends PgTable> = {
  readonly [K in keyof T['$inferInsert']]?: T['$inferInsert'][K] | SQLWrapper;
};

/** Rejects unknown names in objects that are spread, which TypeScript's excess property check ignores. */
type Only<S, T extends PgTable> = { readonly [K in Exclude<keyof S, keyof T['$inferInsert']>]: never };

/**
 * Builds `insert into table (…) select … from …`, because Drizzle's `insert().select()` requires every column
 * of the table. It runs nothing.
 * @param sources what is selected, by column; columns without a source get their defaults
 * @param from what follows `from`: a step of the same statement, or the rest of a query
 * @throws TypeError when the table has no such column
 */
export function insertFrom<T extends PgTable, S extends Sources<T>>(
  table: T,
  sources: S & Only<S, T>,
  from: SQLWrapper,
): SQL {
  const entries = Object.entries<SQLWrapper>(sources);
  const names = entries.map(([key]) => nameOf(table, key));
  const values = entries.map(([, source]) => source);
  return sql`insert into ${table} (${sql.join(names, sql`, `)})
    select ${sql.join(values, sql`, `)} from ${from}`;
}

/**
 * Builds the assignments after `set` in an update: `"state" = …, "attempt" = …`. Undefined values are
 * omitted; null sets the column to null. Without any value, it is empty.
 * @throws TypeError when the table has no such column
 */
export function assign<T extends PgTable, C extends Changes<T>>(table: T, changes: C & Only<C, T>): SQL {
  const assignments = Object.entries<unknown>(changes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const source = isSQLWrapper(value) ? value : sql.param(value, columnOf(table, key));
    return [sql`${nameOf(table, key)} = ${source}`];
  });
  return sql.join(assignments, sql`, `);
}

/** A column's unqualified name, because SQL does not allow a qualified one as the target of a write. */
const nameOf = (table: PgTable, key: string): SQL => sql`${sql.identifier(columnOf(table, key).name)}`;

function columnOf(table: PgTable, key: string): PgColumn {
  const column = getTableColumns(table)[key];
  if (column === undefined) throw new TypeError(`${getTableName(table)} has no column ${key}`);
  return column;
}
