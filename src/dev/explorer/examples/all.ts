import { messageExamples } from './add-message.ts';
import type { Example } from './example.ts';
import { changingExamples } from './mutations.ts';
import { readingExamples } from './queries.ts';

/** The Examples panel: examples by the title of their group, in order. A test runs each on the demo desk. */
export const exampleGroups: Readonly<Record<string, readonly Example[]>> = {
  Reading: [
    readingExamples.WhoAmI,
    readingExamples.ListTickets,
    readingExamples.SearchDesk,
    readingExamples.ReadTicket,
    readingExamples.ReadOlderMessages,
    readingExamples.WatchTicket,
    readingExamples.WatchDesk,
  ],
  Writing: [
    messageExamples.AddComment,
    messageExamples.AddPrivateNote,
    messageExamples.ReplyByEmail,
    messageExamples.UploadFiles,
    messageExamples.RetrySafely,
    messageExamples.ReplyUnlessChanged,
  ],
  'Before a mail is sent': [
    readingExamples.PreviewReply,
    messageExamples.SendPreviewed,
    messageExamples.HoldReply,
    changingExamples.CancelDelivery,
  ],
  'After a mail was sent': [
    messageExamples.ReplyWithBounce,
    readingExamples.WatchDeliveries,
    readingExamples.ListFailures,
    changingExamples.RetryDelivery,
    changingExamples.ResolveDelivery,
  ],
  'Changing and removing': [changingExamples.CloseTicket, changingExamples.RedactMessage],
};

/** All examples of the panel in its order, without their groups. */
export const examples: readonly Example[] = Object.values(exampleGroups).flat();

/** The variables of an example as formatted JSON; empty if it has none. */
export const variablesText = ({ variables }: Example): string =>
  variables === undefined ? '' : JSON.stringify(variables, null, 2);

/** Tabs that are open on the first visit. */
const opened = ['WhoAmI', 'ReadTicket', 'AddComment'];
/**
 * The tabs that are open on the first visit, in the form that GraphiQL takes: those of three examples.
 * @param headers text of the headers editor of each tab
 * @returns the texts of each tab's three editors
 */
export const exampleTabs = (headers: string) =>
  examples
    .filter(({ operationName }) => opened.includes(operationName))
    .map((example) => ({ query: example.query, variables: variablesText(example), headers }));
