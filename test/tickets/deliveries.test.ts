import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import type { Fault } from '../support/servers/smtp-sink.ts';
import { sampled } from '../support/soak.ts';
import { type Added, add, ask, get, ticketId, untilNoMailIsUnderWay } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  gateway.sink.setFaults([]);
  await untilNoMailIsUnderWay(gateway);
});

const from = 'company@domain.com';
const mailed = (email: object = {}, ticket = 47) =>
  add(gateway, { ticket: { ticketId: ticket }, body: 'By mail', email: { from, ...email } });

interface Delivery {
  state: string;
  bcc: string[];
  failure: string | null;
  suggestedAction: string | null;
  smtpReply: string | null;
  recipients: {
    kind: string;
    address: string;
    state: string;
    smtpReply: string | null;
    enhancedCode: string | null;
    failure: string | null;
    suggestedAction: string | null;
  }[];
  attempts: {
    number: number;
    phase: string;
    endedAt: string | null;
    outcome: string | null;
    reply: string | null;
  }[];
}
const fields =
  'state bcc failure suggestedAction smtpReply recipients { kind address state smtpReply enhancedCode ' +
  'failure suggestedAction } attempts { number phase endedAt outcome reply }';
const read = ({ delivery }: Added) =>
  ask<Delivery>(gateway, `query ($id: ID!) { node(id: $id) { ... on Delivery { ${fields} } } }`, {
    id: delivery!.id,
  });
const settled = async (added: Added, state: string) => {
  await expect.poll(async () => (await read(added)).state).toBe(state);
  return read(added);
};

interface Done {
  delivery?: Delivery;
  code?: string;
  path?: string[];
  state?: string;
}
const command = (name: string, type: string, input: object, authorization: string | null = asOperator) =>
  ask<Done>(
    gateway,
    `mutation ($input: ${type}!) { ${name}(input: $input) {
      ... on DeliveryPayload { delivery { ${fields} } } ... on UserError { code path }
      ... on DeliveryStateError { state } } }`,
    { input },
    { authorization },
  );
const retry = (delivery: string, as?: string | null) =>
  command('retryDelivery', 'DeliveryInput', { delivery }, as);
const cancel = (delivery: string, as?: string | null) =>
  command('cancelDelivery', 'DeliveryInput', { delivery }, as);
const resolve = (delivery: string, how: string, as?: string | null) =>
  command('resolveDelivery', 'ResolveDeliveryInput', { delivery, as: how }, as);

const list = (filter: object, authorization: string | null = asOperator, args = 'first: 100') =>
  gateway.graphql<{ deliveries: { edges: { node: { id: string; state: string } }[]; pageInfo: object } }>(
    `query ($filter: DeliveryFilter) { deliveries(filter: $filter, ${args}) { edges { node { id state } ` +
      '} pageInfo { hasNextPage hasPreviousPage endCursor } } }',
    { filter },
    { authorization },
  );
const idsOf = async (filter: object) => (await list(filter)).data.deliveries.edges.map(({ node }) => node.id);

describe('the commands', () => {
  test('retry: to the one who failed, and to nobody who has it', async () => {
    gateway.sink.setFaults([
      { at: 'RCPT', address: 'gone@domain.com', reply: '550 5.1.1 No such user', times: 1 },
    ]);
    const added = await mailed({ cc: ['gone@domain.com'], bcc: ['boss@domain.com'] });
    const failed = await settled(added, 'PARTIALLY_FAILED');
    expect(failed).toMatchObject({
      bcc: ['boss@domain.com'],
      recipients: [
        { kind: 'TO', state: 'SENT', enhancedCode: null },
        { kind: 'CC', address: 'gone@domain.com', state: 'FAILED', enhancedCode: '5.1.1' },
        { kind: 'BCC', state: 'SENT' },
      ],
      attempts: [{ number: 1, outcome: 'PARTIALLY_FAILED' }],
    });
    const failedOf47 = { hasFailedRecipient: true, ticket: ticketId(47) };
    expect(await idsOf(failedOf47)).toEqual([added.delivery!.id]);
    const sent = gateway.sink.mails.length;
    expect((await retry(added.delivery!.id)).delivery?.recipients[1]?.address).toBe('gone@domain.com');
    expect((await settled(added, 'SENT')).attempts).toHaveLength(2);
    expect(gateway.sink.mails.slice(sent).map(({ to }) => to)).toEqual([['gone@domain.com']]);
    expect(await idsOf(failedOf47)).toEqual([]);
    expect(await retry(added.delivery!.id)).toMatchObject({ code: 'DELIVERY_STATE', state: 'SENT' });
  });

  test('a Cc that bounces stays what went wrong when the Bcc who had to wait is served', async () => {
    gateway.sink.setFaults([
      { at: 'RCPT', address: 'gone@domain.com', reply: '550 5.1.1 <gone@domain.com>: User unknown' },
      { at: 'RCPT', address: 'boss@domain.com', reply: '452 4.2.2 over quota', times: 1 },
    ]);
    const added = await mailed({ cc: ['gone@domain.com'], bcc: ['boss@domain.com'] }, 3);
    expect(await settled(added, 'DEFERRED')).toMatchObject({
      failure:
        "boss@domain.com: The recipient's mailbox is full at the moment. gone@domain.com: The address does " +
        'not exist.',
      suggestedAction: 'WAIT',
      smtpReply: '452 4.2.2 over quota',
      recipients: [
        { failure: null, suggestedAction: null },
        { failure: 'The address does not exist.', suggestedAction: 'CHECK_ADDRESS' },
        { failure: "The recipient's mailbox is full at the moment.", suggestedAction: 'WAIT' },
      ],
    });
    await gateway.sql`update deliveries set due_at = now() where state = 'DEFERRED'`;
    await gateway.sql`select pg_notify('ticketwire_outbox', '')`;
    expect(await settled(added, 'PARTIALLY_FAILED')).toMatchObject({
      failure: 'gone@domain.com: The address does not exist.',
      suggestedAction: 'CHECK_ADDRESS',
      smtpReply: '550 5.1.1 <gone@domain.com>: User unknown',
      recipients: [{ state: 'SENT' }, { state: 'FAILED' }, { state: 'SENT', failure: null }],
      attempts: [{ outcome: 'DEFERRED' }, { outcome: 'PARTIALLY_FAILED' }],
    });
    gateway.sink.setFaults([]);
  });

  const faults: [Fault, string, string, string][] = [
    [
      { at: 'DOT', reply: '552 5.3.4 too big' } as const,
      'FAILED',
      'The mail is larger than the server accepts.',
      'REDUCE_SIZE',
    ],
    [
      { at: 'MAIL', reply: '451 4.7.1 greylisted' } as const,
      'DEFERRED',
      "The recipient's server wants to see the mail again later (greylisting or a rate limit).",
      'WAIT',
    ],
    [{ at: 'MAIL', answer: 'drop' } as const, 'DEFERRED', 'The mail server could not be reached.', 'WAIT'],
    [
      { at: 'REPLY', answer: 'drop' } as const,
      'OUTCOME_UNKNOWN',
      'The connection ended after the whole mail was sent and before the server answered: it may have ' +
        'arrived.',
      'RESOLVE',
    ],
  ];
  test.each(sampled(faults, 2))(
    '%j is told in plain words',
    async (fault, state, reason, suggestedAction) => {
      gateway.sink.setFaults([fault]);
      const added = await mailed({}, 4);
      const told = await settled(added, state);
      gateway.sink.setFaults([]);
      expect(told).toMatchObject({ failure: `${told.recipients[0]!.address}: ${reason}`, suggestedAction });
      expect(told.smtpReply).toBe(told.recipients[0]!.smtpReply);
      if ('reply' in fault) expect(told.smtpReply).toBe(fault.reply);
      if (state === 'DEFERRED') await cancel(added.delivery!.id);
      if (state === 'OUTCOME_UNKNOWN') await resolve(added.delivery!.id, 'ASSUME_SENT');
    },
  );

  test('cancel: a mail that is held, once', async () => {
    const added = await mailed({ holdSeconds: 3600 });
    const { delivery } = await cancel(added.delivery!.id);
    expect(delivery).toMatchObject({
      state: 'CANCELLED',
      failure: 'Cancelled by an operator',
      suggestedAction: null,
      recipients: [{ state: 'CANCELLED' }],
      attempts: [],
    });
    expect(await cancel(added.delivery!.id)).toMatchObject({ code: 'DELIVERY_STATE', state: 'CANCELLED' });
    expect(await idsOf({ state: 'CANCELLED', ticket: ticketId(47) })).toContain(added.delivery!.id);
  });

  for (const [how, mails] of [
    ['ASSUME_SENT', 1],
    ['RESEND', 2],
  ] as const) {
    test(`resolve ${how}: a mail of unknown outcome has gone out ${mails} times in the end`, async () => {
      const sent = gateway.sink.mails.length;
      gateway.sink.setFaults([{ at: 'REPLY', answer: 'drop', times: 1 }]);
      const added = await mailed({}, 2);
      expect((await settled(added, 'OUTCOME_UNKNOWN')).attempts[0]).toMatchObject({ phase: 'BODY' });
      for (const refused of [await retry(added.delivery!.id), await cancel(added.delivery!.id)])
        expect(refused).toMatchObject({ code: 'DELIVERY_STATE', state: 'OUTCOME_UNKNOWN' });
      expect((await resolve(added.delivery!.id, how)).delivery).toBeDefined();
      await settled(added, 'SENT');
      const copies = gateway.sink.mails
        .slice(sent)
        .map(({ source }) => /^Message-ID: (.*)\r$/m.exec(`${source}`)?.[1]);
      expect([copies.length, new Set(copies).size]).toEqual([mails, 1]);
      expect(await resolve(added.delivery!.id, how)).toMatchObject({ code: 'DELIVERY_STATE', state: 'SENT' });
    });
  }

  test('are refused to strangers, requesters and for missing ones in the same way', async () => {
    const { delivery } = await mailed({ holdSeconds: 3600 });
    const nobodys = encodeGlobalId('Delivery', 999_999);
    for (const run of [retry, cancel, (id: string, as?: string | null) => resolve(id, 'RESEND', as)]) {
      for (const id of [delivery!.id, nobodys]) {
        expect(await run(id, null)).toMatchObject({ code: 'UNAUTHENTICATED' });
        expect(await run(id, asRequester)).toMatchObject({ code: 'FORBIDDEN' });
      }
      for (const id of [nobodys, 'nonsense', ticketId(47)])
        expect(await run(id)).toEqual({ code: 'DELIVERY_NOT_FOUND', path: ['delivery'] });
    }
    await cancel(delivery!.id);
  });
});

describe('the ledger', () => {
  test('is filtered by state and ticket, together, and paged', async () => {
    const ticket = ticketId(12);
    const held: string[] = [];
    for (let n = 0; n < 5; n += 1) held.push((await mailed({ holdSeconds: 3600 }, 12)).delivery!.id);
    const sent = await mailed({}, 12);
    await settled(sent, 'SENT');
    expect(await idsOf({ ticket })).toEqual([...held, sent.delivery!.id]);
    expect(await idsOf({ ticket, state: 'HELD' })).toEqual(held);
    expect(await idsOf({ ticket, state: 'FAILED' })).toEqual([]);
    expect(await idsOf({ ticket: ticketId(999_999) })).toEqual([]);
    const { deliveries } = (await list({ ticket }, asOperator, 'first: 2')).data;
    expect([deliveries.edges.length, deliveries.pageInfo]).toMatchObject([2, { hasNextPage: true }]);
    const last = (await list({ ticket }, asOperator, 'last: 2')).data.deliveries;
    expect(last.edges.map(({ node }) => node.id)).toEqual([held.at(-1), sent.delivery!.id]);
  });

  test('is for operators: others are told so, and nothing else', async () => {
    for (const [authorization, code] of [
      [null, 'UNAUTHENTICATED'],
      [asRequester, 'FORBIDDEN'],
    ] as const) {
      const { data, errors } = await list({}, authorization);
      expect([data, errors?.map(({ extensions }) => extensions?.code)]).toEqual([
        { deliveries: null },
        [code],
      ]);
    }
  });
});

test('the source of a mail is the bytes the server took, for operators, after it was sent', async () => {
  const sent = gateway.sink.mails.length;
  const waiting = await mailed({ holdSeconds: 3600, bcc: ['boss@domain.com'] }, 7);
  expect((await get(waiting.delivery!.sourceUrl, asOperator)).status).toBe(404);
  await cancel(waiting.delivery!.id);
  const file = new File(['x'.repeat(100_000)], 'příloha.bin');
  const added = await add(
    gateway,
    { ticket: { ticketId: 7 }, email: { from, bcc: ['boss@domain.com'] }, attachments: [{ file: null }] },
    { files: [file] },
  );
  await settled(added, 'SENT');
  const response = await get(added.delivery!.sourceUrl, asOperator);
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'message/rfc822']);
  const bytes = Buffer.from(await response.arrayBuffer());
  expect(Number(response.headers.get('content-length'))).toBe(bytes.length);
  expect(bytes.equals(gateway.sink.mails[sent]!.source)).toBe(true);
  expect(bytes.includes('boss@domain.com')).toBe(false);
  const head = await get(added.delivery!.sourceUrl, asOperator, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  expect((await head.arrayBuffer()).byteLength).toBe(0);
  const posted = await get(added.delivery!.sourceUrl, asOperator, { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect((await get(added.delivery!.sourceUrl, asRequester)).status).toBe(404);
  expect((await get(added.delivery!.sourceUrl, null)).status).toBe(401);
  const { token } = await createToken(gateway.database.database.desk, {
    ...{ userId: 1, name: 'writer', scopes: ['write'] },
  });
  const refused = await get(added.delivery!.sourceUrl, `Bearer ${token}`);
  expect([refused.status, await refused.text()]).toEqual([
    403,
    'This credential does not have the scope "read"\n',
  ]);
  for (const path of [
    'nonsense/source',
    `${encodeGlobalId('Delivery', 999)}/source`,
    'RGVsaXZlcnk6MQ==',
    '%E0%A4%A/source',
    '',
  ])
    expect([path, (await get(`${gateway.url}/deliveries/${path}`, asOperator)).status]).toEqual([path, 404]);
});

test('a mail of which no server was given a byte has no source yet, though it is kept', async () => {
  gateway.sink.setFaults([{ at: 'RCPT', reply: '450 4.2.1 later', times: 1 }]);
  const reached = gateway.sink.steps.length;
  const added = await gateway.sql.begin(async (tx) => {
    // The server's refusal comes before the source can be stored.
    await tx`lock table delivery_sources in share mode`;
    const result = await mailed({}, 9);
    await eventually(() => gateway.sink.steps.slice(reached).some(({ step }) => step === 'RCPT'));
    for (let n = 0; n < 50; n += 1) await gateway.sql`select pg_sleep(0)`;
    return result;
  });
  await settled(added, 'DEFERRED');
  expect(
    await gateway.sql`select from delivery_sources s join deliveries d on d.id = s.delivery_id
      where d.message_id = ${added.ticketMessage.messageId}`,
  ).toHaveLength(1);
  expect((await get(added.delivery!.sourceUrl, asOperator)).status).toBe(404);
  await retry(added.delivery!.id);
  await settled(added, 'SENT');
  const response = await get(added.delivery!.sourceUrl, asOperator);
  expect(Buffer.from(await response.arrayBuffer())).toEqual(gateway.sink.mails.at(-1)!.source);
});
