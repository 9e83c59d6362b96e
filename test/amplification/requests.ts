import { encodeGlobalId } from '../../src/platform/global-id.ts';
import type { Asked } from './measure.ts';

/* What one request can ask for, from 27 bytes to 7 MiB. */

export interface Desk {
  /** The global id of a message with a large HTML body. */
  readonly large: string;
  /** Of many messages with large bodies. */
  readonly many: readonly string[];
  /** Of messages of 28 MB together, each character of which takes two bytes in memory. */
  readonly wide: readonly string[];
  /** Of messages each character of which takes six bytes as JSON. */
  readonly escaping: readonly string[];
  /** Of the message before fifty of 4 MiB, and before the last seven of these. */
  readonly beforeText: string;
  readonly beforeSeven: string;
}

type Request = Omit<Asked, 'headers'> & { readonly headers?: Readonly<Record<string, string>> };

const json = (query: string, variables: object = {}): Request => ({
  body: JSON.stringify({ query, variables }),
});
const times = (count: number, one: (n: number) => string, between = ' ') =>
  Array.from({ length: count }, (_, n) => one(n)).join(between);
const add =
  'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename ... on ' +
  'UserError { code } } }';
const adding = (more: object): Request =>
  json(add, { input: { ticket: { ticketId: 47 }, body: 'x', ...more } });
const nodes = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { bodyHtml } } }';
const deep = (bytes: number): Request => ({
  body: `{"query":"{ __typename }","extensions":{"a":${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}}}`,
});
const ticket = (fields: string) => `{ ticket(by: {ticketId: 47}) { ${fields} } }`;
const stream = { headers: { Accept: 'text/event-stream' }, leaveAfter: 1024 * 1024 };

const all = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { bodyHtml bodyText } } }';
const texts = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on TicketMessage { bodyText } } }';
const unseen = (ifLastMessage: string, fields: string) =>
  `addTicketMessage(input: {ticket: {ticketId: 47}, body: "x", ifLastMessage: "${ifLastMessage}"}) { ` +
  `... on TicketChangedError { unseenMessages { ${fields} } } ... on UserError { message } }`;
const preview =
  'previewTicketMessage(input: {ticket: {ticketId: 46}, body: "x", ' +
  'email: {from: "company@domain.com", quote: ALL}}) ' +
  '{ ... on TicketMessagePreview { text html } ... on UserError { message } }';

const deepLists =
  '{ tickets(first: 100) { nodes { requester { name } messages(first: 15) { nodes { ' +
  'id bodyText author { name } attachments { id fileName } ticket { reference } } } } } }';

const ofBodies = ({
  large,
  many,
  wide,
  escaping,
  beforeText,
  beforeSeven,
}: Desk): Record<string, Request> => ({
  'one large body, three times by an id': json(nodes, { ids: [large, large, large] }),
  'a hundred times by an id': json(nodes, { ids: Array(100).fill(large) }),
  '230,000 ids': json(nodes, { ids: Array(230_000).fill(large) }),
  'a hundred large bodies by their ids': json(nodes, { ids: many.slice(0, 100) }),
  'one body by 90 names': json(
    `{ node(id: "${large}") { ... on TicketMessage { ${times(90, (n) => `a${n}: bodyHtml`)} } } }`,
  ),
  'one body by 45 names, as graphql-js makes it': json(
    `{ node(id: "${large}") { ... on TicketMessage { ${times(
      45,
      (n) => `a${n}: bodyText @skip(if: false)`,
    )} } } }`,
  ),
  'deep lists, as graphql-js makes them': json(
    deepLists.replace('id bodyText', 'id bodyText @skip(if: false)'),
  ),
  'a page of large bodies': json(ticket('messages(last: 100) { nodes { bodyHtml } }')),
  'eight pages of them': json(
    ticket(times(8, (n) => `p${n}: messages(last: ${100 - n}) { nodes { bodyText } }`)),
  ),
  'as much as an answer may hold': json(ticket('messages(last: 7) { nodes { bodyText } }')),
  'the same, which nobody reads': {
    ...json(ticket('messages(last: 7) { nodes { bodyText } }')),
    unreadFor: 100,
  },
  'a page without its bodies': json(ticket('messages(last: 100) { nodes { id author { name } } }')),
  'every event with its body': json(
    '{ ticketEvents(ticket: {ticketId: 47}) { ticketMessage { body bodyHtml bodyText } } }',
  ),
  'events by 50 names': json(
    `{ ${times(50, (n) => `e${n}: ticketEvents(ticket: {ticketId: 47}) { ticketMessage { bodyText } }`)} }`,
  ),
  'a subscription to events with 60 bodies each': {
    ...json(
      'subscription { ticketEvents(ticket: {ticketId: 47}) { ticketMessage { ' +
        `${times(60, (n) => `b${n}: bodyText`)} } } }`,
    ),
    ...stream,
  },
  'as much HTML as may be read': json(all, { ids: many.slice(0, 15) }),
  'two bodies that escape to six times their length': json(texts, { ids: escaping }),
  'text with one wide character each': json(texts, { ids: wide }),
  'as much of it as an answer may hold': json(texts, { ids: wide.slice(0, 4) }),
  'the same, unread': { ...json(texts, { ids: wide.slice(0, 4) }), unreadFor: 100 },
  'previews until an answer is full': json(`{ ${times(35, (n) => `p${n}: ${preview}`)} }`),
  'unseen messages with their bodies': json(`mutation { ${unseen(beforeText, 'body bodyHtml bodyText')} }`),
  'seven unseen messages with their text': json(`mutation { ${unseen(beforeSeven, 'bodyText')} }`),
  'twenty times unseen messages': json(
    `mutation { ${times(20, (n) => `m${n}: ${unseen(beforeSeven, 'bodyText')}`)} }`,
  ),
  'a preview with all quoted': json(`{ ${preview} }`),
  'fifty previews with all quoted': json(`{ ${times(50, (n) => `p${n}: ${preview}`)} }`),
});

const ofDocuments: Record<string, Request> = {
  nothing: json('{ __typename }'),
  'deep lists': json(deepLists),
  'deeper lists': json(
    '{ tickets(first: 100) { nodes { messages(first: 100) { nodes { ticket { messages(first: 100) { ' +
      'nodes { id } } } } } } } }',
  ),
  '100 tickets by names': json(
    `{ ${times(
      100,
      (n) => `t${n}: ticket(by: {ticketId: ${n}}) { reference messages(first: 5) { nodes { id } } }`,
    )} }`,
  ),
  'the schema, ten times': json(
    `{ ${times(
      10,
      (n) =>
        `s${n}: __schema { types { name description fields { name description args { ` +
        'name description } type { name } } } }',
    )} }`,
  ),
  'a document of 60 KB': json(`{ ${'__typename '.repeat(5400)} }`),
  'a document of 6.9 MB': json(`{ ${'__typename '.repeat(620_000)} }`),
  'a list of 1,000 requests': { body: JSON.stringify(Array(1000).fill({ query: '{ __typename }' })) },
  'a list of 6.9 MB': { body: `[${'{"query":"{a}"},'.repeat(430_000)}{}]` },
  'a URL of 15 KB': {
    ...{ body: '', method: 'GET' },
    path: `/graphql?${new URLSearchParams({ query: `{ ${'__typename '.repeat(1300)} }` })}`,
  },
  '[[[[, 64 KB': { body: '['.repeat(64_000) },
  '[[[[, 6.9 MB': { body: '['.repeat(6_900_000) },
  'nested arrays, 60 KB': deep(60_000),
  'nested arrays, 6.9 MB': deep(6_900_000),
};

/** Text that HTML writes with more characters, that the parser adds bit by bit, or that is made of lines. */
const dearText = {
  'all of ampersands': '&',
  'all of carriage returns': '\r',
  'of ampersands and blanks': '& ',
  'of letters and line breaks': 'a\r\n',
  'of letters and blanks': 'a b ',
  'of half of entities': '&#',
  'of entities': '&nbsp;',
  'of wide marks': '\u00e9<',
  'of comments that do not begin': '<!',
};

const ofInputs: Record<string, Request> = {
  'an enum value of 60 KB': adding({ visibility: 'x'.repeat(60_000) }),
  'an enum value of 6.9 MB': adding({ visibility: 'x'.repeat(6_900_000) }),
  '3,400,000 numbers': json(nodes, { ids: Array(3_400_000).fill(1) }),
  '3,400,000 numbers that nobody asked for': {
    body: JSON.stringify({ query: '{ __typename }', extensions: { n: Array(3_400_000).fill(1) } }),
  },
  '700,000 values of all kinds': json(nodes, {
    ids: Array(700_000)
      .fill(null)
      .map((_, n) => [n, 'x', null][n % 3]),
  }),
  'a name of 6.9 MB': { body: `{"query":"{ __typename }","${'n'.repeat(6_900_000)}":1}` },
  'an operation of 6.9 MB': {
    body: JSON.stringify({ query: '{ __typename }', operationName: 'n'.repeat(6_900_000) }),
  },
  'variables that nobody asked for': json(
    '{ __typename }',
    Object.fromEntries(Array.from({ length: 19_000 }, (_, n) => [`v${n}`, 'x'.repeat(300)])),
  ),
  'many members, 60 KB': json(add, {
    input: Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`m${n}`, n])),
  }),
  'many members, 6.9 MB': json(add, {
    input: Object.fromEntries(Array.from({ length: 500_000 }, (_, n) => [`m${n}`, n])),
  }),
  '300,000 addresses': adding({
    email: { from: 'company@domain.com', cc: Array(300_000).fill('a@b.example') },
  }),
  'an address of 6.9 MB': adding({ email: { from: `${'a.'.repeat(3_400_000)}a@domain.com` } }),
  '300,000 attachments': adding({ attachments: Array(300_000).fill({ upload: 'x' }) }),
  'a key of 6.9 MB': adding({ idempotencyKey: 'k'.repeat(6_900_000) }),
  'a reference of 6.9 MB': json('query ($r: String!) { ticket(by: {reference: $r}) { id } }', {
    r: 'i'.repeat(6_900_000),
  }),
  'an id of 6.9 MB': json('query ($i: ID!) { node(id: $i) { id } }', { i: 'VGlja2V0OjQ3'.repeat(570_000) }),
  'a body of 4 MiB, nested': adding({ format: 'HTML', body: '<b>'.repeat(1_390_000) }),
  'a body of 4 MiB, all of marks': adding({ format: 'HTML', body: '<'.repeat(4_190_000) }),
  ...Object.fromEntries(
    Object.entries(dearText).map(([name, text]) => [
      `a body of 4 MiB, ${name}`,
      adding({ format: 'HTML', body: text.repeat(4_190_000 / Buffer.byteLength(text)) }),
    ]),
  ),
  'a body of 6.9 MB': adding({ body: 'x'.repeat(6_900_000) }),
  'a form that maps 100 files': form(100),
  'a form that maps 60,000 files': form(60_000),
};

function form(files: number): Request {
  const map = Object.fromEntries(
    Array.from({ length: files }, (_, n) => [n, [`variables.input.attachments.${n}.file`]]),
  );
  const input = { ticket: { ticketId: 47 }, body: 'x', attachments: Array(files).fill({ file: null }) };
  const part = (name: string, text: string) =>
    `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
  const operations = part('operations', JSON.stringify({ query: add, variables: { input } }));
  return {
    body: `${operations}${part('map', JSON.stringify(map))}--b--\r\n`,
    headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
  };
}

export const requestsOf = (desk: Desk): Record<string, Request> => ({
  ...ofDocuments,
  ...ofBodies(desk),
  ...ofInputs,
});
export const idOf = (message: number): string => encodeGlobalId('TicketMessage', message);
