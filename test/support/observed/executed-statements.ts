import type postgres from 'postgres';
import { expect } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../database.ts';

/** What PostgreSQL counted of one statement. */
export interface ExecutedStatement {
  /** The same for one text, whatever its parameters. */
  readonly id: string;
  readonly calls: number;
  readonly rows: number;
  /** Pages of tables and indexes that it visited, whether they were in memory or not. */
  readonly blocks: number;
}

/** A demo desk with pg_stat_statements, which counts in sessions that are opened from now on. */
export async function createCountedDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase('demo');
  const sql = database.asOwner();
  const { database: name } = database.ownerConnection as { database: string };
  await sql`alter database ${sql(name)} set pg_stat_statements.track = 'top'`;
  await sql`create extension pg_stat_statements`;
  await sql.end();
  return database;
}

/**
 * The gateway's statements that are executed meanwhile, those of its background tasks included.
 * @param sql the owner's, of a counted database
 */
export async function executedStatements(
  sql: postgres.Sql,
  work: () => Promise<unknown>,
): Promise<ExecutedStatement[]> {
  // Without a database it would forget what other tests count on the same server.
  await sql`select pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database()`;
  await work();
  // A statement is counted when its portal is closed, which can be after its rows have arrived.
  const busy = () => sql`
    select state, query from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'`;
  await expect.poll(busy).toEqual([]);
  return sql<ExecutedStatement[]>`
    select s.queryid::text as id, s.calls::int, s.rows::int,
      (shared_blks_hit + shared_blks_read)::int as blocks
    from pg_stat_statements s join pg_database d on d.oid = s.dbid and d.datname = current_database()
    join pg_roles r on r.oid = s.userid and r.rolname = 'ticketwire_app' order by s.queryid`;
}
