import { messages } from '../../db/tables.ts';

/** Columns of a message that its author fills in. They have the same names in the schema and in the table. */
export const authored = {
  body: messages.body,
  format: messages.format,
  visibility: messages.visibility,
  isMobileDevice: messages.isMobileDevice,
  language: messages.language,
};
/** The fields of a message that its author fills in. */
export type Authored = Pick<typeof messages.$inferSelect, keyof typeof authored>;

const names = Object.keys(authored) as (keyof Authored)[];

/** Copies only the authored fields. */
export const authoredOf = <T extends Record<keyof Authored, unknown>>(message: T): Pick<T, keyof Authored> =>
  Object.fromEntries(names.map((key) => [key, message[key]])) as unknown as Pick<T, keyof Authored>;
