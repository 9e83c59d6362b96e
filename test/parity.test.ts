import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ErrorCode, errorCodes } from '../src/platform/errors.ts';
import { encodeGlobalId } from '../src/platform/global-id.ts';
import { asOperator, asRequester, basic, type Gateway, startGateway } from './support/gateway.ts';

/*
 * The specification of "thin": the same meaning through both doors gives the same code and the same rows.
 * What one door cannot reach says why.
 */

interface Case {
  /** The caller: the operator by default, nobody when null. */
  as?: string | null;
  /** What the desk must have for it, and takes back. */
  prepare?: (gateway: Gateway) => Promise<() => PromiseLike<unknown>>;
  headers?: Record<string, string>;
  /** Changes to an input that is good, or why GraphQL cannot reach it. */
  graphql: Record<string, unknown> | string;
  /** Sent with the GraphQL input as a multipart request. */
  files?: Buffer[];
  /** Fields beside the code and the message that are worth a look. */
  details?: Record<string, unknown>;
  /** Changes to a body that is good, with the status it gets; or why the legacy door cannot reach it. */
  rest: { body: Record<string, unknown>; status: number; message: RegExp } | string;
}

const email = { from: 'company@domain.com' };
const mailed = { SendViaOutboundEmail: true, SendViaOutboundEmailFrom: 'company@domain.com' };
const notYet = 'no command of the legacy endpoint deals with deliveries';
const redaction = 'a refusal of redaction, which the legacy endpoint does not have';

const refusals = {
  UNAUTHENTICATED: {
    as: null,
    graphql: {},
    rest: { body: {}, status: 401, message: /Authorization has been denied/ },
  },
  TICKET_NOT_FOUND: {
    as: asRequester,
    graphql: { ticket: { ticketId: 1 } },
    rest: { body: { TicketREF: 'INC-000001' }, status: 400, message: /ticket/i },
  },
  FORBIDDEN: {
    as: asRequester,
    graphql: { visibility: 'PRIVATE' },
    rest: { body: { IsPrivate: true }, status: 400, message: /operators/i },
  },
  INVALID_INPUT: {
    graphql: { body: ' ', email: { ...email, cc: ['a@b.cz', 'no address'], bcc: ['x@y.cz\r\nBcc: z@y.cz'] } },
    details: {
      problems: [{ path: ['body'] }, { path: ['email', 'cc', '1'] }, { path: ['email', 'bcc', '0'] }],
    },
    rest: {
      body: {
        Message: ' ',
        ...mailed,
        SendViaOutboundEmailCc: ['a@b.cz', null, 'no address'],
        SendViaOutboundEmailBcc: ['x@y.cz\r\nBcc: z@y.cz'],
      },
      status: 400,
      message: /Message.*SendViaOutboundEmailCc\[2\].*SendViaOutboundEmailBcc\[0\]/s,
    },
  },
  PRIVATE_WITH_EMAIL: {
    graphql: { visibility: 'PRIVATE', email },
    rest: { body: { IsPrivate: true, ...mailed }, status: 400, message: /private/i },
  },
  MAILBOX_NOT_FOUND: {
    graphql: { email: { from: 'nobody@domain.com' } },
    rest: {
      body: { ...mailed, SendViaOutboundEmailFrom: 'nobody@domain.com' },
      status: 400,
      message: /nobody@domain\.com/,
    },
  },
  MAILBOX_NOT_READY: {
    prepare: async ({ sql }) => {
      await sql`update mailboxes set disabled_at = now() where address = 'company@domain.com'`;
      return () => sql`update mailboxes set disabled_at = null where address = 'company@domain.com'`;
    },
    graphql: { email },
    rest: { body: mailed, status: 400, message: /company@domain\.com/ },
  },
  RECIPIENT_MISSING: {
    prepare: async ({ sql }) => {
      const [user] = await sql<{ id: number; email: string }[]>`
        select id, email from users where id = (select requester_id from tickets where id = 47)`;
      await sql`update users set email = null where id = ${user!.id}`;
      return () => sql`update users set email = ${user!.email} where id = ${user!.id}`;
    },
    graphql: { email },
    rest: { body: mailed, status: 400, message: /requester/i },
  },
  ATTACHMENT_TOO_LARGE: {
    graphql: { attachments: [{ file: null }] },
    files: [Buffer.alloc(2001)],
    details: { path: ['attachments', '0'] },
    rest: {
      body: { Attachments: [{ FileName: 'a', Data: Buffer.alloc(2001).toString('base64') }] },
      status: 413,
      message: /2000/,
    },
  },
  EMAIL_TOO_LARGE: {
    prepare: async ({ sql }) => {
      const limits = await sql<{ id: number; bytes: number | null }[]>`
        select id, max_mail_bytes as bytes from mailboxes`;
      await sql`update mailboxes set max_mail_bytes = 2000`;
      return () =>
        Promise.all(
          limits.map(({ id, bytes }) => sql`update mailboxes set max_mail_bytes = ${bytes} where id = ${id}`),
        );
    },
    graphql: { email, body: 'x'.repeat(4000) },
    details: { limitBytes: 2000, sizeBytes: expect.any(Number) },
    rest: { body: { ...mailed, Message: 'x'.repeat(4000) }, status: 413, message: /2000/ },
  },
  TICKET_CHANGED: {
    graphql: { ifLastMessage: encodeGlobalId('TicketMessage', 1) },
    details: { unseenMessages: expect.arrayContaining([{ messageId: expect.any(Number) }]) },
    rest: 'the old endpoint has no field for the last message seen',
  },
  IDEMPOTENCY_KEY_REUSED: {
    prepare: async (gateway) => {
      await gateway.graphql(addMessage, { input: input({ idempotencyKey: 'k-1', body: 'first' }) });
      return () => gateway.sql`delete from idempotency_keys where key = 'k-1'`;
    },
    headers: { 'Idempotency-Key': 'k-1' },
    graphql: {},
    rest: { body: {}, status: 422, message: /idempotency key/i },
  },
  MESSAGE_NOT_FOUND: { graphql: redaction, rest: redaction },
  ATTACHMENT_NOT_FOUND: { graphql: redaction, rest: redaction },
  DELIVERY_NOT_FOUND: { graphql: 'a refusal of other commands', rest: notYet },
  DELIVERY_STATE: { graphql: 'a refusal of other commands', rest: notYet },
  PREVIEW_STALE: { graphql: 'a refusal of another field', rest: notYet },
  RATE_LIMITED: {
    graphql: 'the limits are generous here: test/http/rate-limits.test.ts has low ones',
    rest: 'the same',
  },
} satisfies Record<ErrorCode, Case>;

const addMessage = /* GraphQL */ `
  mutation Add($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) {
      __typename
      ... on AddTicketMessagePayload { ticketMessage { messageId } replayed }
      ... on UserError { code message path retryable }
      ... on InvalidInputError { problems { path message } }
      ... on EmailTooLargeError { limitBytes sizeBytes }
      ... on TicketChangedError { unseenMessages { messageId } }
    }
  }`;
const input = (changes: object) => ({
  ticket: { reference: 'INC-000047' },
  body: 'Can I meet you afternoon?',
  ...changes,
});
const legacyBody = (changes: object) => ({
  TicketREF: 'INC-000047',
  Message: 'Can I meet you afternoon?',
  ...changes,
});
const env = { MAX_ATTACHMENT_BYTES: '2000', ROLES: 'web' };

/** A refusal changes nothing, and none looks at another's message. */
let common: Gateway;
beforeAll(async () => {
  common = await startGateway({ env });
});
afterAll(() => common[Symbol.asyncDispose]());

async function onDesk(prepare: Case['prepare'], work: (gateway: Gateway) => Promise<void>): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const undo = await prepare?.(common);
  if (undo !== undefined) parts.defer(async () => void (await undo()));
  await work(common);
}

describe('what one door refuses, the other refuses', () => {
  for (const code of errorCodes) {
    const {
      as = asOperator,
      prepare,
      headers = {},
      graphql,
      files = [],
      details = {},
      rest,
    }: Case = refusals[code];

    if (typeof graphql === 'object') {
      it(`GraphQL: ${code}`, () =>
        onDesk(prepare, async (gateway) => {
          const before = await gateway.counts();
          const variables = { input: input(graphql) };
          const answer = await gateway.graphql<{ addTicketMessage: object }>(addMessage, variables, {
            authorization: as,
            headers,
            files,
          });
          expect(answer.errors).toBeUndefined();
          expect(answer.data.addTicketMessage).toMatchObject({
            code,
            message: expect.stringMatching(/\w/),
            ...details,
          });
          expect(await gateway.counts()).toEqual(before);
        }));
    }

    if (typeof rest === 'object') {
      it(`legacy: ${code}`, () =>
        onDesk(prepare, async (gateway) => {
          const before = await gateway.counts();
          const { body, status, message } = rest;
          const response = await gateway.legacy(legacyBody(body), { authorization: as, headers });
          const answer = (await response.json()) as { Message: string };
          expect({ status: response.status, ...answer }).toEqual({
            status,
            Message: expect.stringMatching(message),
          });
          expect(await gateway.counts()).toEqual(before);
        }));
    }
  }

  it('a bad password is 401 on both doors, without a challenge on /graphql', async () => {
    const authorization = basic('operator', 'wrong');
    const answer = await common.graphql(addMessage, { input: input({}) }, { authorization });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, null]);
    expect((await common.legacy(legacyBody({}), { authorization })).status).toBe(401);
  });
});

describe('what one door accepts, the other accepts, with the same rows', () => {
  const accepted: Record<string, { graphql: object; rest: object; as?: string }> = {
    'a comment': { graphql: {}, rest: {} },
    "a requester's comment": { graphql: {}, rest: {}, as: asRequester },
    'a private note in HTML from a phone': {
      graphql: { visibility: 'PRIVATE', format: 'HTML', body: '<p>x</p>', isMobileDevice: true },
      rest: { IsPrivate: true, Html: true, Message: '<p>x</p>', IsMobileDevice: true },
    },
    'an e-mail reply with copies': {
      graphql: { email: { ...email, cc: ['jane.doe@domain.com'], bcc: ['jack.more@domain.com'] } },
      rest: {
        ...mailed,
        SendViaOutboundEmailCc: ['jane.doe@domain.com', ' '],
        SendViaOutboundEmailBcc: ['jack.more@domain.com'],
      },
    },
    'the same address twice': {
      graphql: {
        email: {
          ...email,
          cc: ['jane.doe@domain.com', 'jane.doe@DOMAIN.com'],
          bcc: ['requester@domain.com'],
        },
      },
      rest: {
        ...mailed,
        SendViaOutboundEmailCc: ['jane.doe@domain.com', 'jane.doe@DOMAIN.com'],
        SendViaOutboundEmailBcc: ['requester@domain.com'],
      },
    },
  };

  for (const [name, { graphql, rest, as = asOperator }] of Object.entries(accepted)) {
    it(name, async () => {
      const answer = await common.graphql<{ addTicketMessage: { ticketMessage: { messageId: number } } }>(
        addMessage,
        { input: input(graphql) },
        { authorization: as },
      );
      const response = await common.legacy(legacyBody(rest), { authorization: as });
      const first = answer.data.addTicketMessage.ticketMessage.messageId;
      const { TicketMessageId: second } = (await response.json()) as { TicketMessageId: number };
      expect(second).toBeGreaterThan(first);
      expect(await rowsOf(common, second)).toEqual(await rowsOf(common, first));
    });
  }
});

/** Everything that was written for a message, without what differs from one message to the next. */
async function rowsOf({ sql }: Gateway, messageId: number): Promise<unknown> {
  const [message] = await sql`
    select ticket_id, author_id, body, format, visibility, is_mobile_device, redacted_at from messages
    where id = ${messageId}`;
  const deliveries = await sql`
    select ticket_id, mailbox_id, from_address, from_name, subject, state, visibility from deliveries
    where message_id = ${messageId}`;
  const recipients = await sql`
    select position, kind, address, r.name, r.state from delivery_recipients r
    join deliveries d on d.id = delivery_id
    where message_id = ${messageId} order by position`;
  const events =
    await sql`select ticket_id, type, visibility, actor_id from events where message_id = ${messageId}`;
  return { message, deliveries: [...deliveries], recipients: [...recipients], events: [...events] };
}
