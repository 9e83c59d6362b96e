import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { type Added, add, ask, messageId } from '../calls.ts';

/* The command's story, in the order in which it runs. Each step's own tests say the rest. */

let gateway: Gateway;
beforeAll(async () => {
  // What a worker writes is not the command's.
  gateway = await startGateway({ env: { ROLES: 'web' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const email = { from: 'company@domain.com', cc: ['jane.doe@domain.com'] };
const more = async (before: Record<string, number>) => {
  const after = await gateway.counts();
  const grown = Object.entries(after).map(([name, count]) => [name, count - before[name]!] as const);
  return Object.fromEntries(grown.filter(([, count]) => count !== 0));
};
/** Expects a refusal, and that nothing was written. */
async function refused(input: object, authorization: string | null = asOperator): Promise<Added> {
  const before = await gateway.counts();
  const answer = await add(gateway, input, { authorization });
  expect(await more(before)).toEqual({});
  return answer;
}

async function recipientsOf({ messageId }: Added['ticketMessage']): Promise<string[]> {
  const rows = await gateway.sql<{ kind: string; address: string }[]>`
    select r.kind, r.address from delivery_recipients r join deliveries d on d.id = r.delivery_id
    where d.message_id = ${messageId} order by r.position`;
  return rows.map(({ kind, address }) => `${kind} ${address}`);
}

describe('the input is read once', () => {
  test('what is left out has its default, and null is as good as left out', async () => {
    const { ticketMessage: bare } = await add(gateway, { body: 'Bare' });
    const nothing = { format: null, visibility: null, isMobileDevice: null, language: null, email: null };
    const { ticketMessage: nulls } = await add(gateway, { body: 'Nulls', ...nothing });
    const rows = await gateway.sql`
      select format, visibility, is_mobile_device, language from messages
      where id = any (${[bare.messageId, nulls.messageId]})`;
    const row = { format: 'TEXT', visibility: 'PUBLIC', is_mobile_device: false, language: null };
    expect([...rows]).toEqual([row, row]);
  });

  test('a body is kept to the byte', async () => {
    const body = ' <b>Two</b>\r\n\tlines, žluťoučký 🐎 &amp; ';
    const { ticketMessage } = await add(gateway, { body });
    const [row] = await gateway.sql`select body from messages where id = ${ticketMessage.messageId}`;
    expect(row!.body).toBe(body);
  });

  test.each([
    ['another case of the domain', 'jane@X.example', 'jane@x.EXAMPLE'],
    ['the domain in Unicode and in ASCII', 'jane@\u017elu\u0165.cz', 'jane@XN--LU-yta1h.cz'],
    ['the domain in ASCII and in Unicode', 'jane@xn--lu-yta1h.cz', 'jane@\u017dLU\u0164.cz'],
    ['quotes that are not needed', '"jane"@x.example', 'jane@x.example'],
    ['another normal form', 'e\u0301va@x.example', '\u00e9va@x.example'],
  ])('a copy to the To address is no second mail: %s', async (_how, to, copy) => {
    const [requester] = await gateway.sql<{ id: number; email: string }[]>`
      select id, email from users where id = (select requester_id from tickets where id = 47)`;
    const { id, email: before } = requester!;
    try {
      await gateway.sql`update users set email = ${to} where id = ${id}`;
      const input = { body: 'Once', email: { ...email, cc: [copy, 'Jane@x.example'], bcc: [to] } };
      const { ticketMessage } = await add(gateway, input);
      expect(await recipientsOf(ticketMessage)).toEqual([`TO ${to}`, 'CC Jane@x.example']);
    } finally {
      await gateway.sql`update users set email = ${before} where id = ${id}`;
    }
  });

  test('an address that is named twice gets one copy, where it was first named', async () => {
    const copies = {
      from: ' company@domain.com ',
      cc: ['a@b.cz', 'A@B.CZ', 'a@B.cz'],
      bcc: ['a@b.cz', 'c@d.cz'],
    };
    const { ticketMessage } = await add(gateway, { body: 'Copies', email: copies });
    expect(await recipientsOf(ticketMessage)).toEqual([
      ...['TO requester@domain.com', 'CC a@b.cz', 'CC A@B.CZ', 'BCC c@d.cz'],
    ]);
  });
});

describe('the rules of the input', () => {
  test('name everything that is wrong, each with its path', async () => {
    const wrong = {
      ...{ body: ' ', language: 'en_US', ifLastMessage: 'x', expectPreviewHash: 'x', idempotencyKey: 'ž' },
      email: { from: 'no', cc: ['a@b.cz', 'no'], bcc: ['a@b.cz\r\nBcc: x@y.cz'], holdSeconds: -1 },
    };
    const { code, problems } = await refused(wrong);
    expect(code).toBe('INVALID_INPUT');
    expect(problems!.map(({ path }) => path.join('.'))).toEqual([
      ...['body', 'language', 'email.from', 'email.cc.1', 'email.bcc.0', 'email.holdSeconds'],
      ...['idempotencyKey', 'expectPreviewHash', 'ifLastMessage'],
    ]);
  });

  test('whether the ticket may be seen comes first, then who may do it, then what is wrong', async () => {
    const wrong = { body: ' ', visibility: 'PRIVATE', ticket: { ticketId: 1 } };
    expect(await refused(wrong, null)).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await refused(wrong, asRequester)).toMatchObject({ code: 'TICKET_NOT_FOUND' });
    expect(await refused({ ...wrong, ticket: { ticketId: 47 } }, asRequester)).toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});

describe('the files', () => {
  test('are durable before a row names them, and go when the message is refused', async () => {
    const before = await gateway.counts();
    const attachments = [{ file: null }, { file: null }];
    const files = [Buffer.from('one'), new File(['two'], '../../two.txt', { type: 'text/plain' })];
    const { ticketMessage } = await add(gateway, { attachments }, { files });
    expect(ticketMessage.attachments.map(({ fileName, byteSize }) => [fileName, byteSize])).toEqual([
      ['file-0.bin', 3],
      ['two.txt', 3],
    ]);
    expect(await more(before)).toEqual({ messages: 1, attachments: 2, blobs: 2, events: 1 });
  });
});

describe('the row and its commit', () => {
  test('message, files, delivery, recipients, event and key are written together', async () => {
    const before = await gateway.counts();
    const { ticketMessage, delivery, ticket } = await add(
      gateway,
      { email, idempotencyKey: 'whole', attachments: [{ file: null }] },
      { files: [Buffer.from('three')] },
    );
    expect(await more(before)).toEqual({
      ...{ messages: 1, attachments: 1, blobs: 1, deliveries: 1, recipients: 2, events: 1, keys: 1 },
    });
    expect(delivery).toMatchObject({ state: 'QUEUED', to: ['requester@domain.com'] });
    const [row] = await gateway.sql`
      select t.message_count, t.last_message_id, t.last_event_number, e.number, e.public_number
      from tickets t join events e on e.ticket_id = t.id and e.message_id = t.last_message_id
      where t.id = 47`;
    expect(row).toMatchObject({
      ...{ message_count: ticket.messageCount, last_message_id: ticketMessage.messageId },
      number: row!.last_event_number,
    });
  });

  test('a reply that reopens its closed ticket writes the status and its event with it', async () => {
    await gateway.sql`update tickets set status = 'CLOSED' where id = 47`;
    const before = await gateway.counts();
    await add(gateway, { reopen: true });
    expect(await more(before)).toEqual({ messages: 1, events: 2 });
    const [ticket] = await gateway.sql`select status from tickets where id = 47`;
    expect(ticket!.status).toBe('OPEN');
  });

  test('a key that is said again answers the first result, and is refused for another meaning', async () => {
    const input = { body: 'Once', language: 'de', idempotencyKey: 'again' };
    const first = await add(gateway, input);
    const before = await gateway.counts();
    expect((await add(gateway, { ...input, language: 'DE' })).ticketMessage.id).toBe(first.ticketMessage.id);
    expect(await refused({ ...input, language: 'de-CH' })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await refused({ ...input, language: null })).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await more(before)).toEqual({});
  });

  test('whoever has not seen the last message is told what came since', async () => {
    const { ticketMessage: seen } = await add(gateway, { body: 'Seen' });
    const { ticketMessage: unseen } = await add(gateway, { body: 'Unseen' });
    expect(await refused({ ifLastMessage: messageId(seen.messageId) })).toMatchObject({
      code: 'TICKET_CHANGED',
      unseenMessages: [{ messageId: unseen.messageId }],
    });
    const again = await add(gateway, { ifLastMessage: messageId(unseen.messageId) });
    expect(again.__typename).toBe('AddTicketMessagePayload');
  });
});

describe('the result', () => {
  test('has the language as it was kept: in its canonical form, which the e-mail says as well', async () => {
    await using mailing = await startGateway();
    const input = { body: 'Grüezi', language: 'DE-ch-1996', email: { from: 'company@domain.com' } };
    const { ticketMessage } = await add(mailing, input);
    const node = await ask<{ language: string }>(
      mailing,
      'query ($id: ID!) { node(id: $id) { ... on TicketMessage { language } } }',
      { id: ticketMessage.id },
    );
    expect(node.language).toBe('de-CH-1996');
    const [mail] = await mailing.sink.received(1);
    expect(mail!.source.toString()).toContain('\r\nContent-Language: de-CH-1996\r\n');
    await add(mailing, { email: input.email });
    const [, unsaid] = await mailing.sink.received(2);
    expect(unsaid!.source.toString()).not.toMatch(/^Content-Language/im);
  });

  test('is all that its caller could ask for', async () => {
    const payload = await ask<{ warnings: object[]; replayed: boolean; ticketMessage: object }>(
      gateway,
      /* GraphQL */ `mutation ($input: AddTicketMessageInput!) {
        addTicketMessage(input: $input) {
          ... on AddTicketMessagePayload {
            replayed
            warnings { code }
            ticketMessage { body language isMobileDevice author { name } }
          }
        }
      }`,
      {
        input: {
          ...{ ticket: { reference: 'inc-000047' }, body: 'From a phone', isMobileDevice: true },
          email: { from: 'company@domain.com', cc: ['requester@domain.com'] },
        },
      },
    );
    expect(payload).toMatchObject({
      replayed: false,
      warnings: [{ code: 'DUPLICATE_RECIPIENT' }],
      ticketMessage: { body: 'From a phone', language: null, isMobileDevice: true },
    });
  });
});
