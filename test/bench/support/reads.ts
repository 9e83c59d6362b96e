import { parse, print, visit } from 'graphql';
import { clients } from '../../support/clients.ts';
import type { Dialect } from '../contenders.ts';
import { postRequest } from './http-client.ts';
import { readTickets } from './seed.ts';

/** What is read of each contender, in its own words, and how its answer is known to be right. */

const pageDocument = `query Page($by: TicketSelector!) {
  ticket(by: $by) {
    reference subject status messageCount
    requester { name }
    messages(first: 50) {
      edges {
        node {
          messageId body visibility createdAt
          author { name role }
          attachments { fileName contentType byteSize }
          delivery { state from to cc recipients { address state } }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;
const postgraphilePage = `query Page($ticketId: Int!) {
  ticketByRowId(rowId: $ticketId) {
    reference subject status messageCount
    userByRequesterId { name }
    messagesByTicketId(first: 50, orderBy: ROW_ID_ASC) {
      nodes {
        rowId body visibility createdAt
        userByAuthorId { name role }
        attachmentsByMessageId(orderBy: POSITION_ASC) { nodes { fileName contentType byteSize } }
        delivery {
          state fromAddress
          deliveryRecipientsByDeliveryId(orderBy: POSITION_ASC) { nodes { kind address state } }
        }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

const listDocument = `query List {
  tickets(filter: { status: CLOSED }, orderBy: LAST_MESSAGE, first: 50) {
    edges {
      node {
        ticketId reference subject status messageCount
        requester { name }
        lastMessage { messageId body visibility createdAt author { name role } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;
const postgraphileList = `query List {
  allTickets(condition: { status: "CLOSED" }, orderBy: [ACTIVE_AT_DESC, ROW_ID_DESC], first: 50) {
    nodes {
      rowId reference subject status messageCount
      userByRequesterId { name }
      lastMessage { rowId body visibility createdAt userByAuthorId { name role } }
    }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** The clients whose requests are sent: curl's are the shortest, and a frontend's most often Apollo's. */
export type Client = 'curl' | 'Apollo Client 4';

/** Something that is read. */
export interface Read {
  readonly documents: Readonly<Partial<Record<Dialect, string>>>;
  /** How often a text is in every whole answer. */
  readonly signs: readonly (readonly [text: string, times: number])[];
}

/** 50 messages of a ticket, half of them with an attachment and half mailed, and more to come. */
export const page: Read = {
  documents: { ours: pageDocument, postgraphile: postgraphilePage },
  signs: [
    ['"body":', 50],
    ['"fileName":', 25],
    ['"hasNextPage":true', 1],
  ],
};

/** 50 tickets with their last messages, and more to come. */
export const list: Read = {
  documents: { ours: listDocument, postgraphile: postgraphileList },
  signs: [
    ['"subject":', 50],
    ['"body":', 50],
    ['"hasNextPage":true', 1],
  ],
};

/** As Apollo Client sends it: with the type's name in each selection but the operation's. */
const withTypenames = (document: string): string =>
  print(
    visit(parse(document), {
      SelectionSet: {
        leave: (node, _key, parent) =>
          parent !== undefined && 'kind' in parent && parent.kind === 'OperationDefinition'
            ? undefined
            : { ...node, selections: [...node.selections, typename] },
      },
    }),
  );
const typename = { kind: 'Field', name: { kind: 'Name', value: '__typename' } } as const;

/** Makes the requests of a client: which ticket is asked for, the caller says. */
export function requestsOf(
  { documents }: Read,
  client: Client,
): (dialect: Dialect, token: string, ticketId: number) => string | undefined {
  const { headers, body } = clients[client];
  const texts = Object.entries(documents).map(([dialect, text]) => {
    const query = client === 'curl' ? text : withTypenames(text);
    return [dialect, { query, operationName: /^query (\w+)/.exec(text)?.[1] }] as const;
  });
  const askedOf = new Map<string, { query: string; operationName: string | undefined }>(texts);
  return (dialect, token, ticketId) => {
    const asked = askedOf.get(dialect);
    if (asked === undefined) return undefined;
    const variables = !asked.query.includes('$')
      ? undefined
      : dialect === 'ours'
        ? { by: { ticketId } }
        : { ticketId };
    const named = client === 'curl' ? { query: asked.query } : asked;
    const sent = variables === undefined ? named : { ...named, variables };
    return postRequest('/graphql', { ...headers, authorization: `Bearer ${token}` }, body(sent));
  };
}

/** Whether an answer is whole. */
export function isWhole({ signs }: Read, answer: Buffer): boolean {
  const text = answer.toString('utf8');
  return !text.includes('"errors"') && signs.every(([sign, times]) => text.split(sign).length === times + 1);
}

/** A caller's next ticket. */
export const ticketOf = (n: number): number => 1 + (n % readTickets);
