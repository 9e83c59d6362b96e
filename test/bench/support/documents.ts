import { randomBytes } from 'node:crypto';
import type { Dialect } from '../contenders.ts';
import { postRequest } from './http-client.ts';

/** What is asked of each contender, in its own words, and how its answer is known to be right. */

export interface NewMessage {
  readonly ticketId: number;
  readonly body: string;
  readonly from: string;
  readonly cc: readonly string[];
  readonly key: string;
  /** Attachments of 4 KiB; the legacy door alone takes them in the same body. */
  readonly files?: number;
}

const addDocument = `mutation Add($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    __typename
    ... on AddTicketMessagePayload {
      replayed cursor
      ticketMessage { messageId }
      ticket { reference messageCount }
      delivery { state subject rfcMessageId to cc }
    }
    ... on UserError { code message path }
  }
}`;
const postgraphileAdd = `mutation Add($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    result {
      rowId
      ticketByTicketId { reference messageCount lastEventNumber }
      delivery {
        state subject rfcMessageId deliveryRecipientsByDeliveryId { nodes { kind address } }
      }
    }
  }
}`;

const graphql = (token: string, query: string, variables: object): string =>
  postRequest('/graphql', { authorization: `Bearer ${token}` }, JSON.stringify({ query, variables }));

/** The request; undefined: this dialect has no such operation. */
export function add(
  dialect: Dialect,
  token: string,
  { ticketId, body, from, cc, key, files = 0 }: NewMessage,
): string | undefined {
  if (dialect === 'layer' || (files > 0 && dialect !== 'legacy')) return undefined;
  switch (dialect) {
    case 'bare':
      return postRequest('/append', {}, JSON.stringify({ ticketId, body, from, cc, key }));
    case 'ours':
      return graphql(token, addDocument, {
        input: { ticket: { ticketId }, body, email: { from, cc }, idempotencyKey: key },
      });
    case 'legacy': {
      const post = {
        TicketId: ticketId,
        Message: body,
        SendViaOutboundEmail: true,
        SendViaOutboundEmailFrom: from,
        SendViaOutboundEmailCc: cc,
        Attachments: Array.from({ length: files }, (_, n) => fileOf(n)),
      };
      const headers = { authorization: `Bearer ${token}`, 'idempotency-key': key };
      return postRequest('/api/Tickets/NewMessage', headers, JSON.stringify(post));
    }
    case 'postgraphile':
      return graphql(token, postgraphileAdd, {
        input: { ticketId, body, emailFrom: from, cc, idempotencyKey: key },
      });
  }
}

function fileOf(n: number): object {
  const bytes = randomBytes(4096);
  return {
    FileName: `photo-${n}.jpg`,
    ContentType: 'image/jpeg',
    ContentLength: bytes.length,
    Data: bytes.toString('base64'),
  };
}

/** What is wrong with an answer to `add`. */
export function addOf(dialect: Dialect, answer: Buffer): string | undefined {
  const text = answer.toString('utf8');
  const signs: Record<Dialect, readonly string[]> = {
    bare: ['"answers":[{"verdict":null,'],
    layer: [],
    ours: ['"AddTicketMessagePayload"', '"QUEUED"', '"replayed":false', 'boss@customer.test'],
    legacy: ['{"TicketMessageId":'],
    postgraphile: ['"rowId":', '"QUEUED"', 'boss@customer.test'],
  };
  const good = !text.includes('"errors"') && signs[dialect].every((sign) => text.includes(sign));
  return good ? undefined : text.slice(0, 500);
}

export function nothing(dialect: Dialect, token: string): string | undefined {
  if (dialect === 'legacy') return undefined;
  if (dialect === 'bare') return postRequest('/nothing', {}, JSON.stringify({ query: '{ __typename }' }));
  return postRequest(
    '/graphql',
    { authorization: `Bearer ${token}` },
    JSON.stringify({ query: '{ __typename }' }),
  );
}
