import type postgres from 'postgres';

/*
 * Serializers and parsers of PostgreSQL's text format, for the driver's option `types`.
 *
 * The driver may serialize a statement's parameters twice: when the server has lost a prepared statement or
 * its plan changed, it prepares the statement again, and each value is already a string. So every serializer
 * returns a string unchanged.
 *
 * If a serializer throws, the driver may already expect an answer to a statement that it does not send. So no
 * serializer throws: for a value that it cannot write it returns `refused`.
 */

/** A parameter that the server refuses, whatever its type: the statement fails (22021). */
export const refused = '\0';

interface Type {
  readonly id: number;
  readonly array: number;
  readonly write: (value: unknown) => string;
  readonly read: (text: string) => unknown;
}

const asText = (value: unknown): string => `${value}`;
const unlessText = (write: (value: unknown) => string) => (value: unknown) =>
  typeof value === 'string' ? value : write(value);
const same = (text: string): string => text;
const writeInstant = unlessText((value) =>
  (value instanceof Date ? value : new Date(Number(value))).toISOString(),
);
/**
 * Reads an instant as PostgreSQL writes it in UTC: `2026-01-31 12:00:00.5+00`. With a space in it, `Date`
 * would read another format, in which the year 0001 is 2001.
 * @returns an invalid Date for `infinity`, and for a year before Christ
 */
export const readInstant = (text: string): Date => new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'));

const scalars = {
  boolean: {
    id: 16,
    array: 1000,
    write: unlessText((value) => (value === true ? 't' : 'f')),
    read: (text) => text === 't',
  },
  bytea: {
    id: 17,
    array: 1001,
    write: unlessText((value) => `\\x${Buffer.from(value as Uint8Array).toString('hex')}`),
    read: (text) => Buffer.from(text.slice(2), 'hex'),
  },
  bigint: { id: 20, array: 1016, write: asText, read: same },
  smallint: { id: 21, array: 1005, write: asText, read: Number },
  integer: { id: 23, array: 1007, write: asText, read: Number },
  text: { id: 25, array: 1009, write: asText, read: same },
  real: { id: 700, array: 1021, write: asText, read: Number },
  double: { id: 701, array: 1022, write: asText, read: Number },
  date: { id: 1082, array: 1182, write: writeInstant, read: readInstant },
  timestamp: { id: 1114, array: 1115, write: writeInstant, read: readInstant },
  timestamptz: { id: 1184, array: 1185, write: writeInstant, read: readInstant },
  uuid: { id: 2950, array: 2951, write: asText, read: same },
  json: {
    id: 114,
    array: 199,
    write: unlessText((value) => JSON.stringify(value)),
    read: (text) => JSON.parse(text),
  },
  jsonb: {
    id: 3802,
    array: 3807,
    write: unlessText((value) => JSON.stringify(value)),
    read: (text) => JSON.parse(text),
  },
} as const satisfies Record<string, Type>;

/** Makes a serializer that does not throw. */
const serializer =
  (write: (value: unknown) => string | undefined) =>
  (value: unknown): string => {
    try {
      return write(value) ?? refused;
    } catch {
      return refused;
    }
  };

/** `{1,NULL,"a \"b\""}`. Nested lists have the same element type. */
function writeArray(list: unknown, write: Type['write']): string {
  if (!Array.isArray(list)) return asText(list);
  const element = (value: unknown) =>
    value === null || value === undefined
      ? 'NULL'
      : Array.isArray(value)
        ? writeArray(value, write)
        : `"${write(value).replace(/["\\]/g, '\\$&')}"`;
  return `{${list.map(element).join(',')}}`;
}

/** The elements of a one-dimensional array. No column has more dimensions. */
function readArray(text: string, read: Type['read']): unknown[] {
  const inside = text.slice(text.indexOf('{') + 1, -1);
  const elements = inside.match(/"(?:[^"\\]|\\[\s\S])*"|[^,]+/g) ?? [];
  return elements.map((element) => {
    if (element === 'NULL') return null;
    return read(element.startsWith('"') ? element.slice(1, -1).replace(/\\([\s\S])/g, '$1') : element);
  });
}

/**
 * Every type of our parameters and columns by its name, and arrays of it (`text` and `text_list`), so that
 * the driver need not query them on each new connection. A bigint is read as a string, a date or timestamp as
 * a Date, JSON as its value. Strings are written unchanged, also as JSON: the caller writes a string as JSON
 * itself. The server refuses a value that cannot be written.
 */
export const parameterTypes: Readonly<Record<string, postgres.PostgresType>> = Object.fromEntries(
  Object.entries(scalars).flatMap(([name, { id, array, write, read }]: [string, Type]) => [
    [name, { to: id, from: [id], serialize: serializer(write), parse: read }],
    [
      `${name}_list`,
      {
        to: array,
        from: [array],
        serialize: serializer((list) => writeArray(list, write)),
        parse: (text: string) => readArray(text, read),
      },
    ],
  ]),
);
