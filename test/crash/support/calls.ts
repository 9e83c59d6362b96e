/*
 * Sends one message at either door, and says what its sender knows afterwards. Nothing is retried: finding
 * out about a call without an answer is the caller's task.
 */

export type Door = 'graphql' | 'legacy';

export interface Message {
  /** `INC-000047` */
  readonly ticket: string;
  readonly body: string;
  readonly private?: boolean;
  /** Absent: no e-mail. */
  readonly email?: { readonly cc?: readonly string[]; readonly bcc?: readonly string[] };
  readonly files?: readonly { readonly name: string; readonly type: string; readonly bytes: Buffer }[];
}

export type Answer =
  | { readonly kind: 'added'; readonly messageId: number; readonly replayed: boolean }
  /** `code` of the refusal; of the legacy door, which has none, its status. */
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'fault'; readonly status: number; readonly text: string }
  /** The connection ended without an answer: it may have been done or not. */
  | { readonly kind: 'lost' };

export interface Caller {
  /** Value of the Authorization header. */
  readonly authorization: string;
  readonly key?: string;
  /** GraphQL takes the key as a field of the input as well. */
  readonly keyAsField?: boolean;
}

export const mailbox = 'company@domain.com';

export function say(url: string, door: Door, message: Message, caller: Caller): Promise<Answer> {
  const said = door === 'graphql' ? sayByGraphql(url, message, caller) : sayByLegacy(url, message, caller);
  return said.catch(() => ({ kind: 'lost' }));
}

const mutation = `mutation ($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    ... on AddTicketMessagePayload { replayed ticketMessage { messageId } }
    ... on UserError { code }
  }
}`;

interface GraphqlAnswer {
  data?: {
    addTicketMessage: { code: string } | { replayed: boolean; ticketMessage: { messageId: number } };
  } | null;
}

async function sayByGraphql(url: string, message: Message, caller: Caller): Promise<Answer> {
  const { files = [], email } = message;
  const asField = caller.key !== undefined && caller.keyAsField === true;
  const input = {
    ticket: { reference: message.ticket },
    body: message.body,
    ...(message.private ? { visibility: 'PRIVATE' } : {}),
    ...(email ? { email: { from: mailbox, cc: email.cc ?? [], bcc: email.bcc ?? [] } } : {}),
    ...(files.length === 0 ? {} : { attachments: files.map(() => ({ file: null })) }),
    ...(asField ? { idempotencyKey: caller.key } : {}),
  };
  const operations = JSON.stringify({ query: mutation, variables: { input } });
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      authorization: caller.authorization,
      ...(files.length === 0 ? { 'content-type': 'application/json' } : {}),
      'graphql-preflight': '1',
      ...(caller.key === undefined || asField ? {} : { 'idempotency-key': caller.key }),
    },
    body: files.length === 0 ? operations : multipart(operations, files),
  });
  const text = await response.text();
  const result = response.ok ? (JSON.parse(text) as GraphqlAnswer).data?.addTicketMessage : undefined;
  if (result === undefined) return { kind: 'fault', status: response.status, text };
  return 'code' in result
    ? { kind: 'refused', code: result.code }
    : { kind: 'added', messageId: result.ticketMessage.messageId, replayed: result.replayed };
}

function multipart(operations: string, files: NonNullable<Message['files']>): FormData {
  const form = new FormData();
  form.set('operations', operations);
  const paths = files.map((_file, n) => [String(n), [`variables.input.attachments.${n}.file`]]);
  form.set('map', JSON.stringify(Object.fromEntries(paths)));
  files.forEach(({ name, type, bytes }, n) => {
    form.set(String(n), new Blob([new Uint8Array(bytes)], { type }), name);
  });
  return form;
}

async function sayByLegacy(url: string, message: Message, caller: Caller): Promise<Answer> {
  const { files = [], email } = message;
  const response = await fetch(`${url}/api/Tickets/NewMessage`, {
    method: 'POST',
    headers: {
      authorization: caller.authorization,
      'content-type': 'application/json',
      ...(caller.key === undefined ? {} : { 'idempotency-key': caller.key }),
    },
    body: JSON.stringify({
      TicketREF: message.ticket,
      Message: message.body,
      IsPrivate: message.private === true,
      Attachments: files.map(({ name, type, bytes }) => ({
        FileName: name,
        ContentType: type,
        ContentLength: bytes.length,
        Data: bytes.toString('base64'),
      })),
      ...(email && {
        SendViaOutboundEmail: true,
        SendViaOutboundEmailFrom: mailbox,
        SendViaOutboundEmailCc: email.cc ?? [],
        SendViaOutboundEmailBcc: email.bcc ?? [],
      }),
    }),
  });
  const text = await response.text();
  if (response.status >= 500) return { kind: 'fault', status: response.status, text };
  if (!response.ok) return { kind: 'refused', code: String(response.status) };
  const { TicketMessageId } = JSON.parse(text) as { TicketMessageId: number };
  return {
    kind: 'added',
    messageId: TicketMessageId,
    replayed: response.headers.get('idempotency-replayed') === 'true',
  };
}
