import { getTableColumns, type SQL, sql } from 'drizzle-orm';
import { messages } from '../../db/tables.ts';
import type { Message } from './messages.ts';

/** Milliseconds since 1970, rounded: the product of doubles may fall just short, and a Date truncates. */
export const instant = (column: string): SQL => sql.raw(`round(date_part('epoch', ${column}) * 1000)`);

const messageColumns = Object.entries(getTableColumns(messages)).map(([key, column]) => ({
  ...{ key, name: `m.${column.name}` },
  isInstant: column.dataType === 'date',
}));
/**
 * The fields of a message `m`, for a list in JSON.
 * @param body the expression for the body, which may be null
 */
export const messageFields = (body: SQL): SQL[] => [
  ...messageColumns.map(({ key, name, isInstant }) => {
    if (key === 'body') return body;
    return isInstant ? instant(name) : sql.raw(name);
  }),
  sql`octet_length(m.body)`,
];

/** A message from its fields, in the order of its columns. */
export function messageOf(fields: readonly unknown[]): Message {
  const message: Record<string, unknown> = { bodyBytes: fields[messageColumns.length] };
  for (const [n, { key, isInstant }] of messageColumns.entries()) {
    const field = fields[n];
    message[key] = isInstant && field !== null ? new Date(field as number) : field;
  }
  return message as unknown as Message;
}
