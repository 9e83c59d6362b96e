import { type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';

/**
 * A member of a record that no table has: its type in PostgreSQL, and in `Data` the type that it has here.
 */
export interface Member<Data> {
  readonly type: string;
  readonly data?: Data;
}

export const member = <Data>(type: string): Member<Data> => ({ type });

/**
 * What a record that travels as JSON consists of, by name: a column of a table, whose types it has, or a
 * member of its own. The record's type, and the columns that PostgreSQL reads it into, are both made from
 * this.
 */
export type Members = Readonly<Record<string, AnyPgColumn | Member<unknown>>>;

type DataOf<M> = M extends Member<infer Data> ? Data : M extends AnyPgColumn ? M['_']['data'] : never;

/** A record in which each member must be there. */
export type RecordOf<M extends Members> = { readonly [K in keyof M]: DataOf<M[K]> };
/** A record in which any may be missing, which PostgreSQL reads as null. */
export type PartialRecordOf<M extends Members> = { readonly [K in keyof M]?: DataOf<M[K]> | undefined };

/** `("a" integer, "b" text)`, as `json_to_recordset(…) as r` wants it. */
export const recordColumns = (members: Members): SQL =>
  sql`(${sql.join(
    Object.entries(members).map(
      ([key, of]) => sql`${sql.identifier(key)} ${sql.raw('type' in of ? of.type : of.getSQLType())}`,
    ),
    sql`, `,
  )})`;

/** The members of a record that is called `name` in a query. */
export const membersOf = <M extends Members>(name: string, members: M): { readonly [K in keyof M]: SQL } =>
  Object.fromEntries(
    Object.keys(members).map((key) => [key, sql`${sql.identifier(name)}.${sql.identifier(key)}`]),
  ) as { [K in keyof M]: SQL };
