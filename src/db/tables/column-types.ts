import { sql } from 'drizzle-orm';
import { customType, integer } from 'drizzle-orm/pg-core';
import { readInstant } from '../driver/parameter-types.ts';

/** A column of bytes, as a Buffer. */
export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
/** A column with the words of a text, by which PostgreSQL searches it. */
export const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });
/** A column of type `timestamptz` with milliseconds, as a Date. Drizzle's own reads the year 0001 as 2001. */
export const instant = customType<{ data: Date; driverData: string }>({
  dataType: () => 'timestamp (3) with time zone',
  fromDriver: readInstant,
  toDriver: (value) => value.toISOString(),
});
/** The default of an instant that the database sets: when the transaction began. */
export const now = sql`now()`;
/** The column `created_at`: never null, and set by the database unless a value is given. */
export const createdAt = () => instant('created_at').notNull().default(now);
/** The column `id`: an integer primary key, drawn by the database unless a value is given. */
export const id = () => integer('id').primaryKey().generatedByDefaultAsIdentity();
/**
 * The condition of a check constraint: the column, named as in SQL, has one of these values. They are written
 * into the SQL as they are, so they may not contain a quote.
 */
export const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);
