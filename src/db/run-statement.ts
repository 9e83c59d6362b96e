import { fillPlaceholders, type SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';

/*
 * Statements that are built from Drizzle's tables and run on a raw client: one round trip each, once a
 * connection has prepared them.
 */

const dialect = new PgDialect();

/**
 * Runs a statement once.
 * @returns the rows as the driver parses them: instants are dates
 */
export const runStatement = <Row extends object>(client: postgres.Sql, statement: SQL): Promise<Row[]> =>
  send<Row>(client, dialect.sqlToQuery(statement));

/**
 * Prepares a statement that runs often. Its text is built once, and `sql.placeholder(name)` stands for each
 * value. Building the text of the worker's claim takes 280 µs, a tenth of the cost of a mail.
 * @returns a function that runs it with these values
 */
export function prepareStatement<Row extends object, Values extends Record<string, unknown>>(build: SQL) {
  let made: ReturnType<typeof dialect.sqlToQuery> | undefined;
  return (client: postgres.Sql, values: Values): Promise<Row[]> => {
    made ??= dialect.sqlToQuery(build);
    return send<Row>(client, { sql: made.sql, params: fillPlaceholders(made.params, values) });
  };
}

async function send<Row extends object>(
  client: postgres.Sql,
  { sql, params }: { sql: string; params: unknown[] },
): Promise<Row[]> {
  const rows = await client.unsafe<Row[]>(sql, params as postgres.ParameterOrJSON<never>[], {
    prepare: true,
  });
  return rows as unknown as Row[];
}
