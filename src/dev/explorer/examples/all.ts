import { messageExamples } from './add-message.ts';
import { changingExamples } from './changing.ts';
import type { Example } from './example.ts';
import { readingExamples } from './reading.ts';

/** The Examples panel, in this order. A test validates each operation against the schema. */
export const examples: readonly Example[] = [
  readingExamples.WhoAmI,
  readingExamples.ReadTicket,
  messageExamples.AddComment,
  messageExamples.AddPrivateNote,
  messageExamples.ReplyByEmail,
  messageExamples.UploadFiles,
  messageExamples.RetrySafely,
  messageExamples.ReplyWithBounce,
  readingExamples.WatchDeliveries,
  readingExamples.ListTickets,
  readingExamples.WatchTicket,
  readingExamples.PreviewReply,
  changingExamples.CloseTicket,
  readingExamples.ListFailures,
  changingExamples.RetryDelivery,
  changingExamples.RedactMessage,
];

/** The variables of an example as formatted JSON; empty if it has none. */
export const variablesText = ({ variables }: Example): string =>
  variables === undefined ? '' : JSON.stringify(variables, null, 2);

/** Tabs that are open on the first visit. */
const opened = ['WhoAmI', 'ReadTicket', 'AddComment'];
/**
 * The tabs that are open on the first visit.
 * @param headers text of the headers editor
 */
export const exampleTabs = (headers: string) =>
  examples
    .filter(({ operationName }) => opened.includes(operationName))
    .map((example) => ({ query: example.query, variables: variablesText(example), headers }));
