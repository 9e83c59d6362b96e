import { messages } from '../../db/tables.ts';

/** The columns of a message that its author fills in. Each has one name from the schema to the table. */
export const authored = {
  body: messages.body,
  format: messages.format,
  visibility: messages.visibility,
  isMobileDevice: messages.isMobileDevice,
  language: messages.language,
};
export type Authored = Pick<typeof messages.$inferSelect, keyof typeof authored>;

const names = Object.keys(authored) as (keyof Authored)[];

/** Picks the authored fields. */
export const authoredOf = <T extends Record<keyof Authored, unknown>>(message: T): Pick<T, keyof Authored> =>
  Object.fromEntries(names.map((key) => [key, message[key]])) as unknown as Pick<T, keyof Authored>;
