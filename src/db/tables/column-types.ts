import { sql } from 'drizzle-orm';
import { customType, integer, timestamp } from 'drizzle-orm/pg-core';

/** A column of bytes. */
export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
/** The words of a text, by which PostgreSQL searches it. */
export const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });
/** A `timestamptz` of milliseconds, as a Date. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
/** The column `created_at`, which is set by the database. */
export const createdAt = () => instant('created_at').notNull().defaultNow();
/** The primary key, an identity column. */
export const id = () => integer('id').primaryKey().generatedByDefaultAsIdentity();
/**
 * The condition of a check constraint: the column, named as in SQL, has one of these values. They are written
 * into the SQL as they are, so they may not contain a quote.
 */
export const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);
