import { getTableColumns, getTableName, isSQLWrapper, type SQL, type SQLWrapper, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';

/**
 * Where each column of a table gets its value from. A column that the table requires cannot be left out, and
 * one that it does not have cannot be named, so a renamed column fails to compile in every statement that
 * writes it.
 */
export type Sources<T extends PgTable> = {
  readonly [K in keyof T['$inferInsert']]: SQLWrapper;
};

/**
 * For a statement that changes some columns of a row: each becomes a value of its type, or whatever SQL says.
 */
export type Changes<T extends PgTable> = {
  readonly [K in keyof T['$inferInsert']]?: T['$inferInsert'][K] | SQLWrapper;
};

/** What is spread into an object is not looked at for names that it should not have: here it is. */
type Only<S, T extends PgTable> = { readonly [K in Exclude<keyof S, keyof T['$inferInsert']>]: never };

/**
 * `insert into table (…) select … from …`. Drizzle's own `insert().select()` wants every column of the table.
 * @param from what stands after `from`: a step of the same statement, or more of a query
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

/** What stands after `set` in an update: `"state" = …, "attempt" = …`. */
export function assign<T extends PgTable, C extends Changes<T>>(table: T, changes: C & Only<C, T>): SQL {
  const assignments = Object.entries<unknown>(changes).flatMap(([key, value]) => {
    if (value === undefined) return [];
    const source = isSQLWrapper(value) ? value : sql.param(value, columnOf(table, key));
    return [sql`${nameOf(table, key)} = ${source}`];
  });
  return sql.join(assignments, sql`, `);
}

/** Where a statement writes to a column, the column's name may not be qualified. */
const nameOf = (table: PgTable, key: string): SQL => sql`${sql.identifier(columnOf(table, key).name)}`;

function columnOf(table: PgTable, key: string): PgColumn {
  const column = getTableColumns(table)[key];
  if (column === undefined) throw new TypeError(`${getTableName(table)} has no column ${key}`);
  return column;
}
