import { type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';

/** A member that is not a column of a table: its type in PostgreSQL, and in `Data` its type in TypeScript. */
export interface Member<Data> {
  readonly type: string;
  /** Never set: it exists for the type alone. */
  readonly data?: Data;
}

/**
 * Declares a member that is not a column.
 * @param type its type in PostgreSQL, such as `int`
 */
export const member = <Data>(type: string): Member<Data> => ({ type });

/**
 * The members of a record that is sent to PostgreSQL as JSON, by name: columns of tables, whose types they
 * have, or other members. Both the record's TypeScript type and the columns that PostgreSQL reads it into
 * are derived from this.
 */
export type Members = Readonly<Record<string, AnyPgColumn | Member<unknown>>>;

type DataOf<M> = M extends Member<infer Data> ? Data : M extends AnyPgColumn ? M['_']['data'] : never;

/** A record with every member. */
export type RecordOf<M extends Members> = { readonly [K in keyof M]: DataOf<M[K]> };
/** A record in which members may be missing. PostgreSQL reads a missing one as null. */
export type PartialRecordOf<M extends Members> = { readonly [K in keyof M]?: DataOf<M[K]> | undefined };

/** `("a" integer, "b" text)`: the column definitions after `json_to_recordset(…) as r`. */
export const recordColumns = (members: Members): SQL =>
  sql`(${sql.join(
    Object.entries(members).map(
      ([key, of]) => sql`${sql.identifier(key)} ${sql.raw('type' in of ? of.type : of.getSQLType())}`,
    ),
    sql`, `,
  )})`;

/**
 * References (`"r"."a"`) to the members of a record whose alias in a query is `name`, by the members' names.
 */
export const membersOf = <M extends Members>(name: string, members: M): { readonly [K in keyof M]: SQL } =>
  Object.fromEntries(
    Object.keys(members).map((key) => [key, sql`${sql.identifier(name)}.${sql.identifier(key)}`]),
  ) as { [K in keyof M]: SQL };
