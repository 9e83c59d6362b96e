import { encodeGlobalId } from '../../../src/platform/global-id.ts';
import { messagesPerReadTicket } from '../support/seed.ts';
import { longTicket, usualRequester, usualTicket } from './grow.ts';

export type Who = 'operator' | 'usual requester' | 'large requester';

/** A read, as a frontend asks for it. */
export interface Read {
  readonly name: string;
  readonly query: string;
  readonly variables?: object;
  /** A query whose data is put in the place of `variables`. */
  readonly after?: { readonly query: string; readonly variables: (data: never) => object };
  /** Who asks; everybody when absent. */
  readonly by?: readonly Who[];
  /** Why it may cost more on a large desk. */
  readonly grows?: string;
}

const message = `messageId createdAt visibility bodyText author { name } attachments { fileName }
  delivery { state to }`;
const page = `query ($ticket: TicketSelector!) { ticket(by: $ticket) { reference
  messages(last: 50) { totalCount nodes { ${message} } pageInfo { hasPreviousPage startCursor } } } }`;
const listed = 'nodes { reference subject status messageCount requester { name } }';
const list = (args: string, more = '') =>
  `{ tickets(first: 50, ${args}) { ${listed.replace('}', `} ${more}`)} } }`;
const last = 'lastMessageAt lastMessage { bodyText author { name } }';
const yesterday = new Date(Date.now() - 86_400_000).toISOString();
const find = (text: string, part: string) => `{ search(text: "${text}", in: ${part}, first: 50) {
  nodes { ticket { reference subject } ticketMessage { messageId createdAt } } } }`;
const ticket = (ticketId: number) => ({ ticket: { ticketId } });
const ids = (type: 'TicketMessage' | 'Attachment') =>
  Array.from({ length: 100 }, (_, n) => encodeGlobalId(type, n + 1));
const others: readonly Who[] = ['operator', 'large requester'];

export const reads: readonly Read[] = [
  { name: 'a ticket by its reference', query: '{ ticket(by: { reference: "INC-000001" }) { subject } }' },
  { name: 'a page of 50 messages', query: page, variables: ticket(usualTicket) },
  { name: 'the last 50 messages of the long ticket', query: page, variables: ticket(longTicket), by: others },
  {
    name: '100 messages by their ids',
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { bodyText author { name } } } }',
    variables: { ids: ids('TicketMessage') },
  },
  {
    name: '100 attachments by their ids',
    query: 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Attachment { fileName byteSize } } }',
    variables: { ids: ids('Attachment') },
  },
  {
    name: 'the first 100 events',
    query: `query ($ticket: TicketSelector!) { ticketEvents(ticket: $ticket) {
      cursor type ticketMessage { messageId } } }`,
    variables: ticket(longTicket),
    by: others,
  },
  {
    name: 'no news after the last event',
    query: `query ($ticket: TicketSelector!, $last: String) {
      ticketEvents(ticket: $ticket, after: $last) { cursor } }`,
    after: {
      query: `{ ticket(by: { ticketId: ${longTicket} }) { cursor } }`,
      variables: ({ ticket: { cursor } }: { ticket: { cursor: string } }) => ({
        ...ticket(longTicket),
        last: cursor,
      }),
    },
    by: others,
  },
  ...(['CREATED', 'LAST_MESSAGE'] as const).flatMap((order): Read[] => [
    { name: `tickets by ${order}`, query: list(`orderBy: ${order}`) },
    { name: `open tickets by ${order}`, query: list(`orderBy: ${order}, filter: { status: OPEN }`) },
    {
      name: `tickets updated since yesterday by ${order}`,
      query: list(`orderBy: ${order}, filter: { updatedAfter: "${yesterday}" }`),
    },
    {
      name: `tickets of one requester by ${order}`,
      query: list(`orderBy: ${order}, filter: { requester: "${encodeGlobalId('Person', usualRequester)}" }`),
      by: ['operator'],
    },
  ]),
  {
    name: 'the last page of closed tickets',
    query: `{ tickets(filter: { status: CLOSED }, orderBy: LAST_MESSAGE, last: 50) { ${listed} } }`,
  },
  {
    name: 'tickets with a mail to send',
    query: list('filter: { hasUnsettledDelivery: true }'),
    by: ['operator'],
  },
  { name: 'a list with its last messages', query: list('orderBy: LAST_MESSAGE', last) },
  { name: 'how many tickets', query: '{ tickets { totalCount totalCountIsExact } }' },
  { name: 'how many open ones', query: '{ tickets(filter: { status: OPEN }) { totalCount } }' },
  ...Object.entries({
    'one subject': 'elevator stuck',
    'a word of all subjects': 'printer',
    'the beginning of a reference': 'INC-0000',
    'an address': 'requester40@',
    'nothing at all': 'nowhere',
  }).map(([what, text]): Read => ({ name: `search for ${what}`, query: find(text, 'TICKETS') })),
  ...Object.entries({
    'a rare word in bodies': 'zanzibar',
    'a word in a fifth of bodies': 'invoice',
    'two words in bodies': 'says invoice',
    'a phrase in bodies': '\\"invoice zanzibar\\"',
    'nothing in bodies': 'nowhere',
  }).map(([what, text]): Read => ({ name: `search for ${what}`, query: find(text, 'MESSAGES') })),
  ...Object.entries({
    'mails of a ticket': `ticket: "${encodeGlobalId('Ticket', longTicket)}"`,
    'failed mails of a ticket': `ticket: "${encodeGlobalId('Ticket', longTicket)}", state: FAILED`,
    'mails that failed for somebody': 'hasFailedRecipient: true',
    'mails of a ticket that failed for somebody': `hasFailedRecipient: true,
      ticket: "${encodeGlobalId('Ticket', longTicket)}"`,
  }).map(
    ([name, filter]): Read => ({
      name,
      query: `{ deliveries(filter: { ${filter} }, first: 50) { totalCount nodes { state to } } }`,
      by: ['operator'],
    }),
  ),
];

/** A page's worth of messages is in both desks. */
if (messagesPerReadTicket < 50) throw new Error('the small desk has no page of 50 messages');
