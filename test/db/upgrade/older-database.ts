import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as runMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { inject } from 'vitest';
import { type Connection, type Database, migrate, openDatabase } from '../../../src/db/database.ts';
import { gatewayLogin } from '../../support/global-setup.ts';

interface Journal {
  entries: { tag: string }[];
}

/** A database as an earlier version left it. */
export interface OlderDatabase extends AsyncDisposable {
  /** As the owner of the tables. */
  readonly connection: Connection;
  /** The same, opened. */
  readonly sql: postgres.Sql;
  /**
   * Starts this version on it.
   * @param say called with what the migrations wait for
   */
  upgrade(say?: (waitsFor: string) => void): Promise<Database>;
}

/**
 * Creates an empty database with the migrations up to one.
 * @param last the beginning of its name: `0030`
 */
export async function createOlderDatabase(last: string): Promise<OlderDatabase> {
  await using parts = new AsyncDisposableStack();
  const database = `older_${process.pid}_${randomBytes(4).toString('hex')}`;
  const place = { ...inject('template'), database };
  const options = { max: 3, onnotice: () => {} };
  const server = postgres({ ...place, ...options, database: 'postgres' });
  parts.defer(() => server.end());
  await server`create database ${server(database)}`;
  parts.defer(async () => void (await server`drop database ${server(database)} with (force)`));
  // As `fill_message_search` asks of a session.
  const connection = { 'ticketwire.viewer_role': 'DESK' } as object;
  const sql = postgres({ ...place, ...options, connection });
  parts.defer(() => sql.end());
  await migrateUpTo(sql, last);
  const held = parts.move();
  return {
    connection: place,
    sql,
    async upgrade(say) {
      await migrate(place, say);
      return held.use(openDatabase({ ...place, user: gatewayLogin }));
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function migrateUpTo(sql: postgres.Sql, last: string): Promise<void> {
  const migrationsFolder = mkdtempSync(join(tmpdir(), 'ticketwire-migrations-'));
  try {
    cpSync('schema/migrations', migrationsFolder, { recursive: true });
    const path = join(migrationsFolder, 'meta/_journal.json');
    const journal: Journal = JSON.parse(readFileSync(path, 'utf8'));
    const at = journal.entries.findIndex(({ tag }) => tag.startsWith(last));
    writeFileSync(path, JSON.stringify({ ...journal, entries: journal.entries.slice(0, at + 1) }));
    await runMigrations(drizzle(sql), { migrationsFolder });
  } finally {
    rmSync(migrationsFolder, { recursive: true });
  }
}
