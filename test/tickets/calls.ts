import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { eventually } from '../support/eventually.ts';
import { type Call, type Gateway, multipart } from '../support/gateway.ts';

/** What the tests of this folder ask for again and again, through the real door. */

export const ticketId = (id: number): string => encodeGlobalId('Ticket', id);
export const messageId = (id: number): string => encodeGlobalId('TicketMessage', id);

export interface Delivery {
  id: string;
  state: string;
  dueAt: string;
  to: string[];
  sourceUrl: string;
}
export interface Added {
  __typename: string;
  code?: string;
  message?: string;
  path?: string[];
  problems?: { path: string[]; message: string }[];
  unseenMessages?: { messageId: number }[];
  ticketMessage: {
    id: string;
    messageId: number;
    attachments: { id: string; fileName: string; byteSize: number; sha256: string; downloadUrl: string }[];
  };
  ticket: { messageCount: number };
  delivery: Delivery | null;
  cursor: string;
}

const addMessage = /* GraphQL */ `
  mutation ($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) {
      __typename
      ... on AddTicketMessagePayload {
        ticketMessage { id messageId attachments { id fileName byteSize sha256 downloadUrl } }
        ticket { messageCount }
        delivery { id state dueAt to sourceUrl }
        cursor
      }
      ... on UserError { code message path }
      ... on InvalidInputError { problems { path message } }
      ... on TicketChangedError { unseenMessages { messageId } }
    }
  }`;

/** A message of ticket 47 unless the input names another; whatever the result is. */
export async function add(gateway: Gateway, input: object = {}, call: Call = {}): Promise<Added> {
  const whole = { ticket: { ticketId: 47 }, body: 'Something to say', ...input };
  return ask<Added>(gateway, addMessage, { input: whole }, call);
}

/** The one field of an operation that is expected to succeed. @throws with the errors otherwise */
export async function ask<T>(
  gateway: Gateway,
  query: string,
  variables: object = {},
  call: Call = {},
): Promise<T> {
  const answer = await gateway.graphql<Record<string, T>>(query, variables, call);
  if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
  return Object.values(answer.data)[0]!;
}

export interface Uploaded {
  __typename: string;
  code?: string;
  upload: string;
  fileName: string;
  contentType: string;
  byteSize: number;
  sha256: string;
}

const uploadQuery = /* GraphQL */ `
  mutation ($input: UploadFileInput!) {
    uploadFile(input: $input) {
      __typename
      ... on UploadFilePayload { upload fileName contentType byteSize sha256 }
      ... on UserError { code }
    }
  }`;

/** By the GraphQL multipart request specification. */
export async function upload(gateway: Gateway, file: File, authorization: string | null): Promise<Uploaded> {
  const form = multipart(uploadQuery, { input: { file: null } }, [file]);
  form.set('map', JSON.stringify({ 0: ['variables.input.file'] }));
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'graphql-preflight': '1', ...(authorization === null ? {} : { authorization }) },
    body: form,
  });
  return ((await response.json()) as { data: { uploadFile: Uploaded } }).data.uploadFile;
}

/** The gateway's port without the origin that the caller's Host header made. */
export function get(url: string, authorization: string | null, more: RequestInit = {}): Promise<Response> {
  return fetch(url, {
    ...more,
    headers: { ...(authorization === null ? {} : { authorization }), ...(more.headers as object) },
  });
}

/**
 * Waits until no mail of an earlier test is settled, or comes, any more: tests that share a gateway call it
 * before they count.
 */
export async function untilNoMailIsUnderWay(gateway: Gateway): Promise<void> {
  const underWay = () => gateway.sql`select from deliveries where state in ('QUEUED', 'TRANSMITTING')`;
  await eventually(async () => (await underWay()).length === 0);
}
