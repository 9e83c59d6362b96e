import { defaultPageSize, maxPageSize, type PageOf } from '../../../tickets/read/pagination.ts';
import { type Hit, type SearchPart, search } from '../../../tickets/read/search.ts';
import { builder } from '../builder.ts';
import { MessageRef, TicketRef } from '../object-refs.ts';

/* The query `search` and its types. The search itself is in src/tickets/read/search.ts. */

const SearchPartEnum = builder.enumType('SearchPart', {
  description: 'Where `search` looks.',
  values: {
    TICKETS: {
      description:
        "In subjects, and at the beginning of references and, for operators, of requesters' addresses.",
    },
    MESSAGES: { description: 'In the bodies of messages.' },
  } satisfies Record<SearchPart, object>,
});

const HitRef = builder.objectRef<Hit>('SearchHit').implement({
  description: 'A ticket that was found, or a message that was found with its ticket.',
  fields: (t) => ({
    ticket: t.field({
      type: TicketRef,
      nullable: true,
      description: 'The ticket. Null when it has just become invisible to the viewer.',
      resolve: ({ ticketId }, _args, ctx) => ctx.load.ticket.load(ticketId),
    }),
    ticketMessage: t.field({
      type: MessageRef,
      nullable: true,
      description: 'The message that was found. Null when the ticket itself was found.',
      resolve: ({ messageId }, _args, ctx) => (messageId === null ? null : ctx.load.message.load(messageId)),
    }),
  }),
});

const EdgeRef = builder.objectRef<PageOf<Hit>['edges'][number]>('SearchEdge').implement({
  description: 'A hit with its cursor.',
  fields: (t) => ({
    cursor: t.exposeString('cursor', { description: 'For `after` of the same search.' }),
    node: t.expose('node', { type: HitRef, description: 'The hit.' }),
  }),
});

/** The page's field already has the page size as its multiplier. */
const onePage = { field: 1, multiplier: 1 };

const SearchConnection = builder.objectRef<PageOf<Hit>>('SearchConnection').implement({
  description: "One page of a search's hits. They are not counted.",
  fields: (t) => ({
    pageInfo: t.field({
      type: builder.pageInfoRef(),
      description: 'Whether there are more hits, and the cursors to continue from.',
      resolve: ({ pageInfo }) => pageInfo,
    }),
    edges: t.field({
      type: [EdgeRef],
      complexity: onePage,
      description: 'The hits, each with its cursor.',
      resolve: ({ edges }) => [...edges],
    }),
    nodes: t.field({
      type: [HitRef],
      complexity: onePage,
      description: 'The hits without their cursors.',
      resolve: ({ edges }) => edges.map(({ node }) => node),
    }),
  }),
});

/**
 * What a search costs besides its page: it reads an index part by part, or a bounded number of own rows. A
 * document may search about twenty times.
 */
const costOfSearching = 5000;

builder.queryField('search', (t) =>
  t.field({
    type: SearchConnection,
    nullable: true,
    description:
      'Searches the tickets and messages that the viewer may see: first the tickets, then the messages, ' +
      'the newest of each first. All words must occur, as whole words, in any order and case: `"broken ' +
      'pipe"` is a phrase, `-word` excludes, `or` is a choice. References, also with a `#` before them, ' +
      "and, for operators, requesters' addresses are found by their beginning. Of a body, the first " +
      '50,000 characters are searched. ' +
      'A message is found as soon as it is written. When thousands, or megabytes, are written within ' +
      'seconds, or no worker runs, all but the newest (1,000, 2 MB) are found only after a worker has ' +
      'indexed them. For a requester, the 2,000 newest of their own tickets in each status are searched, ' +
      'and the 1,000 newest public messages of their 100 most recently active tickets. Needs the scope ' +
      'READ. Example: `search(text: "printer -paper", first: 20)`.',
    args: {
      text: t.arg.string({
        required: true,
        description: 'At most 200 characters: `"printer floor"`, `"INC-0000"`, `"jane@"`.',
      }),
      in: t.arg({
        type: SearchPartEnum,
        description: 'Search only there: `TICKETS`. Everywhere when absent.',
      }),
      first: t.arg.int({
        description: `Number of hits: 0 to ${maxPageSize}; ${defaultPageSize} when absent.`,
      }),
      after: t.arg.string({ description: "The previous page's `pageInfo.endCursor`." }),
    },
    complexity: ({ first }) => ({
      field: costOfSearching,
      multiplier: Math.max(1, Math.min(first ?? defaultPageSize, maxPageSize)),
    }),
    resolve: (_root, { text, in: part, ...paging }, ctx) => search(ctx, { text, part: part ?? null }, paging),
  }),
);
