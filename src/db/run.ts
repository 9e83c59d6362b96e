import type { SQL } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';

const dialect = new PgDialect();

/**
 * Runs a statement that is written with Drizzle's tables on a raw client, in one round trip once its connection has prepared it.
 * @returns the rows, their values read as the driver reads them: instants are dates
 */
export async function run<Row extends object>(client: postgres.Sql, statement: SQL): Promise<Row[]> {
  const { sql, params } = dialect.sqlToQuery(statement);
  const rows = await client.unsafe<Row[]>(sql, params as postgres.ParameterOrJSON<never>[], {
    prepare: true,
  });
  return rows as unknown as Row[];
}
