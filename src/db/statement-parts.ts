import { type SQL, type SQLWrapper, sql, WithSubquery } from 'drizzle-orm';

/**
 * A step of a writing statement (`with name as (…)`). Later steps refer to it after `from`, and to its
 * columns by `step.columns`, so that an unknown column fails to compile.
 */
export interface Step<C extends string = never> extends SQLWrapper {
  readonly columns: Readonly<Record<C, SQL>>;
  /** For Drizzle's `with()`. */
  readonly subquery: WithSubquery;
}

/**
 * A step that reads: `select … rest`. Each column has its key in `columns` as its name.
 * @param rest what follows the columns, from `from` on
 */
export function reading<C extends Record<string, SQLWrapper>>(
  name: string,
  columns: C,
  rest: SQL,
): Step<keyof C & string> {
  const selected = Object.entries(columns).map(([key, source]) => sql`${source} as ${sql.identifier(key)}`);
  return stepOf(name, Object.keys(columns), sql`select ${sql.join(selected, sql`, `)} ${rest}`);
}

/** A step that writes and returns nothing. @param query the whole statement */
export const writing = (name: string, query: SQL): Step => stepOf(name, [], query);

/**
 * A step that writes and returns columns under these names.
 * @param query the statement without `returning`
 */
export function writingAndReturning<C extends Record<string, SQLWrapper>>(
  name: string,
  query: SQL,
  columns: C,
): Step<keyof C & string> {
  const returned = Object.entries(columns).map(([key, source]) => sql`${source} as ${sql.identifier(key)}`);
  return stepOf(name, Object.keys(columns), sql`${query} returning ${sql.join(returned, sql`, `)}`);
}

/** Picks some of a step's columns by name, for a later step to pass on. */
export const pick = <C extends string, K extends C>(
  columns: Readonly<Record<C, SQL>>,
  keys: readonly K[],
): Readonly<Record<K, SQL>> =>
  Object.fromEntries(keys.map((key) => [key, columns[key]])) as unknown as Readonly<Record<K, SQL>>;

function stepOf<C extends string>(name: string, keys: readonly string[], query: SQL): Step<C> {
  const columns = keys.map((key) => [key, sql`${sql.identifier(name)}.${sql.identifier(key)}`]);
  return {
    columns: Object.fromEntries(columns) as Record<C, SQL>,
    subquery: new WithSubquery(query, {}, name, true),
    getSQL: () => sql`${sql.identifier(name)}`,
    shouldOmitSQLParens: () => true,
  };
}

/** A constant text of ours as a quoted literal of SQL, not as a parameter. */
export const literal = (text: string): SQL => sql.raw(`'${text.replaceAll("'", "''")}'`);

/**
 * Whether a column is one of these ids, which are one parameter. `inArray` takes one for each, of which a
 * statement can have 65,534.
 */
export const isAmong = (column: SQLWrapper, ids: readonly number[]): SQL =>
  sql`${column} = any (${sql.param(ids)}::int[])`;

/** SQL for a JSON object with a member for each column, named by its key, which may not contain a quote. */
export const jsonObject = (columns: Readonly<Record<string, SQLWrapper>>): SQL =>
  sql`json_build_object(${sql.join(
    Object.entries(columns).map(([key, source]) => sql`${sql.raw(`'${key}'`)}, ${source}`),
    sql`, `,
  )})`;

/** SQL for an instant as milliseconds since 1970, without a fraction: the form of instants in JSON. */
export const milliseconds = (instant: SQLWrapper): SQL =>
  sql`(extract(epoch from date_trunc('milliseconds', ${instant})) * 1000)::float8`;

/** SQL for the beginning of the minute that an instant is in. */
export const minuteOf = (instant: SQLWrapper): SQL =>
  sql`date_bin('1 minute', ${instant}, timestamptz '2000-01-01 00:00:00+00')`;
