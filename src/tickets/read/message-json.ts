import { type SQL, sql } from 'drizzle-orm';
import { messages } from '../../db/tables.ts';
import type { Message } from './load-messages.ts';

/**
 * SQL for a timestamp column in milliseconds since 1970. It is rounded, because the product of doubles may
 * fall just short and a Date truncates.
 */
export const instant = (column: string): SQL => sql.raw(`round(date_part('epoch', ${column}) * 1000)`);

type StoredMessage = typeof messages.$inferSelect;

/** The columns of a message, in the order in which they travel. */
const order = [
  ...(['id', 'ticketId', 'authorId', 'body', 'format', 'visibility'] as const),
  ...(['isMobileDevice', 'language', 'redactedAt', 'createdAt'] as const),
] as const;

/** In JSON an instant is a number, and a long body is left out. */
type Sent<Key extends keyof StoredMessage> = Key extends 'body'
  ? Message['body']
  : InJson<StoredMessage[Key]>;
type InJson<Value> = Value extends Date ? number : Value;
type AllSent<Keys extends readonly (keyof StoredMessage)[]> = { -readonly [N in keyof Keys]: Sent<Keys[N]> };

/** A message as a list in JSON: its columns in a fixed order, and the size of its body in bytes. */
export type MessageFields = [...AllSent<typeof order>, bodyBytes: number];

/**
 * SQL for the fields of a message `m`, in the order of `MessageFields`.
 * @param body the expression for the body, which may be null
 */
export const messageFields = (body: SQL): SQL[] => [
  ...order.map((key) => {
    if (key === 'body') return body;
    const column = messages[key];
    return column.dataType === 'date' ? instant(`m.${column.name}`) : sql.raw(`m.${column.name}`);
  }),
  sql`octet_length(m.body)`,
];

/**
 * Makes a message from its fields. The object is a literal because a page has 50 of them: one that is filled
 * key by key takes three times as long and 1 kB more.
 */
export const messageOf = ([
  id,
  ticketId,
  authorId,
  body,
  format,
  visibility,
  isMobileDevice,
  language,
  redactedAt,
  createdAt,
  bodyBytes,
]: MessageFields): Message => ({
  ...{ id, ticketId, authorId, body, format, visibility, isMobileDevice, language },
  redactedAt: redactedAt === null ? null : new Date(redactedAt),
  createdAt: new Date(createdAt),
  bodyBytes,
});
