import { and, asc, desc, eq, gt, sql } from 'drizzle-orm';
import { messages, tickets } from '../../../../src/db/tables.ts';
import { addTicketMessage } from './add-message.js';
import { db } from './database.js';

const addressesOf = (kind) => (delivery) =>
  delivery.recipients.filter((recipient) => recipient.kind === kind).map(({ address }) => address);

/** An operator's place is in the columns of all messages, a requester's in those of public ones. */
const placeFor = (viewer) => (viewer.role === 'OPERATOR' ? tickets.activeAt : tickets.publicActiveAt);

const encode = (value) => Buffer.from(String(value)).toString('base64url');
const decode = (cursor) => Buffer.from(cursor, 'base64url').toString();

const below = (place, cursor) => {
  const [at, id] = decode(cursor).split(' ');
  return sql`(${place}, ${tickets.id}) < (${at}::timestamptz, ${Number(id)}::int)`;
};

export const resolvers = {
  Query: {
    async ticket(_root, { by }, { viewer }) {
      if (!viewer) return null;
      const ticket = await db.query.tickets.findFirst({
        where:
          by.reference != null
            ? eq(sql`lower(${tickets.reference})`, by.reference.toLowerCase())
            : eq(tickets.id, by.ticketId ?? Number(Buffer.from(by.id, 'base64').toString().split(':')[1])),
        with: { requester: true },
      });
      return ticket && (viewer.role === 'OPERATOR' || ticket.requesterId === viewer.id) ? ticket : null;
    },
    async tickets(_root, { filter, orderBy, first, after }, { viewer }) {
      const limit = Math.min(first, 100);
      const place = orderBy === 'LAST_MESSAGE' ? placeFor(viewer) : tickets.createdAt;
      // One statement for the list and what hangs on it: Drizzle's relational query.
      const found = await db.query.tickets.findMany({
        where: and(
          filter?.status ? eq(tickets.status, filter.status) : undefined,
          viewer.role === 'OPERATOR' ? undefined : eq(tickets.requesterId, viewer.id),
          after ? below(place, after) : undefined,
        ),
        orderBy: [desc(place), desc(tickets.id)],
        limit: limit + 1,
        with: { requester: true, lastMessage: { with: { author: true } } },
      });
      const placeOf = (node) => encode(`${node.activeAt.toISOString()} ${node.id}`);
      const edges = found.slice(0, limit).map((node) => ({ node, cursor: placeOf(node) }));
      return { edges, pageInfo: { hasNextPage: found.length > limit, endCursor: edges.at(-1)?.cursor } };
    },
  },
  Mutation: {
    addTicketMessage: (_root, { input }, { viewer }) => addTicketMessage(viewer, input),
  },
  AddTicketMessageResult: { __resolveType: ({ __typename }) => __typename },
  UserError: { __resolveType: ({ __typename }) => __typename },
  Ticket: {
    ticketId: ({ id }) => id,
    async messages(ticket, { first, after }, { viewer }) {
      const isOperator = viewer.role === 'OPERATOR';
      const limit = Math.min(first, 100);
      // One statement for a page and all that hangs on it: Drizzle's relational query.
      const found = await db.query.messages.findMany({
        where: and(
          eq(messages.ticketId, ticket.id),
          isOperator ? undefined : eq(messages.visibility, 'PUBLIC'),
          after ? gt(messages.id, Number(Buffer.from(after, 'base64url').toString())) : undefined,
        ),
        orderBy: asc(messages.id),
        limit: limit + 1,
        with: {
          author: true,
          attachments: true,
          delivery: isOperator ? { with: { recipients: true } } : undefined,
        },
      });
      const edges = found
        .slice(0, limit)
        .map((node) => ({ node, cursor: Buffer.from(String(node.id)).toString('base64url') }));
      return { edges, pageInfo: { hasNextPage: found.length > limit, endCursor: edges.at(-1)?.cursor } };
    },
  },
  TicketMessage: {
    messageId: ({ id }) => id,
    createdAt: ({ createdAt }) => createdAt.toISOString(),
  },
  Delivery: {
    from: ({ fromAddress }) => fromAddress,
    to: addressesOf('TO'),
    cc: addressesOf('CC'),
  },
};
