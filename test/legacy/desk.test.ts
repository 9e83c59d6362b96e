import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { call } from './stand-in.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web', MAX_ATTACHMENT_BYTES: String(1024 * 1024) } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

async function send(
  body: object,
  headers: Record<string, string> = {},
  authorization: string | null = asOperator,
) {
  const before = await gateway.counts();
  const answer = await gateway.legacy(body, { authorization, headers });
  const { Message, TicketMessageId } = (await answer.json()) as {
    Message?: string;
    TicketMessageId?: number;
  };
  const after = await gateway.counts();
  const unchanged = Object.keys(before).every((table) => before[table] === after[table]);
  return { status: answer.status, Message, TicketMessageId, unchanged, headers: answer.headers };
}

describe('the ticket', () => {
  test('two names must mean one ticket; other, missing and invisible tickets look the same', async () => {
    const calls = [
      { TicketId: 47, TicketREF: 'INC-000002' },
      { TicketId: 47, TicketREF: 'INC-999999' },
      { TicketId: 999_999, TicketREF: 'INC-000047' },
      { TicketId: 1, TicketREF: 'INC-000001' },
      { TicketId: 47, TicketREF: 'INC-000001' },
      { TicketId: 999_999 },
      { TicketREF: 'INC-999999' },
      { TicketId: 0 },
      { TicketId: -1 },
      { TicketId: 1 },
    ];
    const answers = await Promise.all(
      calls.map((ids) => gateway.legacy({ ...ids, Message: 'x' }, { authorization: asRequester })),
    );
    const seen = new Set(
      await Promise.all(answers.map(async (answer) => `${answer.status} ${await answer.text()}`)),
    );
    expect([...seen]).toEqual(['400 {"Message":"The ticket was not found."}']);
    expect(
      await send({ TicketId: 47, TicketREF: 'inc-000047', Message: 'x' }, {}, asRequester),
    ).toMatchObject({ status: 200 });
    expect(await send({ TicketId: 0, TicketREF: 'INC-000047', Message: 'x' })).toMatchObject({ status: 200 });
  });
});

describe('the ticket’s reference', () => {
  test('is found with blanks behind it, as SQL Server compares', async () => {
    for (const TicketREF of ['INC-000047 ', 'inc-000047     ']) {
      const { TicketMessageId } = await send({ TicketREF, Message: 'x' });
      const [row] = await gateway.sql`select ticket_id from messages where id = ${TicketMessageId!}`;
      expect(row).toEqual({ ticket_id: 47 });
    }
    expect(await send({ TicketId: 47, TicketREF: 'INC-000047  ', Message: 'x' })).toMatchObject({
      status: 200,
    });
  });

  test('is another with other white space behind it, and with blanks before it', async () => {
    for (const TicketREF of [
      ' INC-000047',
      'INC-000047\t',
      'INC-000047\n',
      'INC-000047\u00a0',
      'INC- 000047',
    ]) {
      expect(await send({ TicketREF, Message: 'x' })).toMatchObject({ status: 400, unchanged: true });
    }
  });

  test('is none when it is blank', async () => {
    expect(await send({ TicketREF: '   ', Message: 'x' })).toMatchObject({
      status: 400,
      Message: 'TicketREF or TicketId is required.',
    });
  });
});

describe('an attachment', () => {
  test('with neither a name nor a byte is none, wherever it stands', async () => {
    const empty = { FileName: '', ContentType: '', ContentLength: 0, Data: '' };
    const items = [empty, {}, { Data: '' }, { FileName: ' ' }, { ContentType: 'text/plain', Data: [] }];
    const lone = await send({ TicketId: 47, Message: 'x', Attachments: items });
    expect(lone.status).toBe(200);
    const kept = [...items, { Data: 'YQ==' }, empty, { FileName: 'empty.txt', Data: '' }];
    const { TicketMessageId } = await send({ TicketId: 47, Message: 'x', Attachments: kept });
    const files = (id: number) =>
      gateway.sql`select file_name, byte_size from attachments where message_id = ${id} order by position`;
    expect(await files(lone.TicketMessageId!)).toHaveLength(0);
    expect([...(await files(TicketMessageId!))]).toEqual([
      { file_name: 'attachment-6', byte_size: 1 },
      { file_name: 'empty.txt', byte_size: 0 },
    ]);
  });

  test('of a thousand is not stored to be refused', async () => {
    const stored = async () => (await readdir(gateway.blobsDirectory, { recursive: true })).length;
    const before = await stored();
    const Attachments = Array.from({ length: 1000 }, (_, n) => ({ FileName: `${n}`, Data: 'YQ==' }));
    expect(await send({ TicketId: 47, Message: 'x', Attachments })).toMatchObject({
      status: 400,
      unchanged: true,
    });
    const large = [...Attachments.slice(0, 150), { Data: Buffer.alloc(1_000_000).toString('base64') }];
    expect(await send({ TicketId: 47, Message: 'x', Attachments: large })).toMatchObject({ status: 400 });
    await expect.poll(stored).toBeLessThan(before + 260);
  });

  test('is stored twice when XML refers to it twice', async () => {
    const posts = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.Posts';
    const data = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures.DataStructures';
    const bytes = Buffer.alloc(100_000, 'abcdefg');
    const body =
      `<NewMessagePost xmlns="${posts}" xmlns:d="${data}" ` +
      'xmlns:z="http://schemas.microsoft.com/2003/10/Serialization/"><Attachments><d:NewAttachment ' +
      `z:Id="i1"><d:Data z:Id="i2">${bytes.toString('base64')}</d:Data><d:FileName>a</d:FileName>` +
      '</d:NewAttachment><d:NewAttachment z:Ref="i1"/><d:NewAttachment><d:Data ' +
      'z:Ref="i2"/><d:FileName>b</d:FileName></d:NewAttachment></Attachments><Message>x</Message>' +
      '<TicketId>47</TicketId></NewMessagePost>';
    const answer = await call(Number(new URL(gateway.url).port), {
      headers: { Authorization: asOperator, Accept: 'application/json', 'Content-Type': 'text/xml' },
      body,
    });
    expect(answer.status).toBe(200);
    const { TicketMessageId } = JSON.parse(answer.body.toString()) as { TicketMessageId: number };
    const rows = await gateway.sql`
      select file_name, blob_key from attachments where message_id = ${TicketMessageId} order by position`;
    expect(rows.map((row) => row.file_name)).toEqual(['a', 'a', 'b']);
    for (const { blob_key: key } of rows) {
      expect(await readFile(join(gateway.blobsDirectory, key.slice(0, 2), key))).toEqual(bytes);
    }
  });
});

test('a write-only token names its ticket once: it may not ask whether two names are one', async () => {
  const [user] = await gateway.sql`select id from users where login = 'operator'`;
  const db = gateway.database.database.desk;
  const { token } = await createToken(db, { userId: user!.id, name: 'writer', scopes: ['write'] });
  const both = await send({ TicketId: 47, TicketREF: 'INC-000047', Message: 'x' }, {}, `Bearer ${token}`);
  expect(both).toMatchObject({ status: 400, unchanged: true, Message: expect.stringContaining('read') });
  for (const ticket of [{ TicketId: 47 }, { TicketREF: 'INC-000047' }]) {
    expect((await send({ ...ticket, Message: 'x' }, {}, `Bearer ${token}`)).status).toBe(200);
  }
});

describe('refusals', () => {
  test('name every problem by the member that the client wrote, and store nothing', async () => {
    const { status, Message, unchanged } = await send({
      TicketId: 47,
      Message: ' ',
      SendViaOutboundEmail: true,
      SendViaOutboundEmailFrom: 'nonsense',
      SendViaOutboundEmailCc: [null, '', 'jane.doe@domain.com', 'not an address'],
      SendViaOutboundEmailBcc: [' ', 'a@b.cz\r\nBcc: c@d.cz'],
    });
    expect([status, unchanged]).toEqual([400, true]);
    for (const member of [
      'Message',
      'SendViaOutboundEmailFrom',
      'SendViaOutboundEmailCc[3]',
      'SendViaOutboundEmailBcc[1]',
    ]) {
      expect(Message).toContain(`${member}: `);
    }
  });

  test.each([
    ['a private message by a requester', { IsPrivate: true }, asRequester, 400],
    [
      'an e-mail by a requester',
      { SendViaOutboundEmail: true, SendViaOutboundEmailFrom: 'company@domain.com' },
      asRequester,
      400,
    ],
    [
      'a private message with e-mail',
      { IsPrivate: true, SendViaOutboundEmail: true, SendViaOutboundEmailFrom: 'company@domain.com' },
      asOperator,
      400,
    ],
    [
      'an unknown mailbox',
      { SendViaOutboundEmail: true, SendViaOutboundEmailFrom: 'x@y.cz' },
      asOperator,
      400,
    ],
    ['an e-mail from nowhere', { SendViaOutboundEmail: true }, asOperator, 400],
    ['21 attachments', { Attachments: Array(21).fill({ FileName: 'a', Data: '' }) }, asOperator, 400],
    ['no credential', {}, null, 401],
    ['a wrong password', {}, `Basic ${Buffer.from('operator:wrong').toString('base64')}`, 401],
  ])('refuse %s', async (_name, more, authorization, status) => {
    const refused = await send({ TicketId: 47, Message: 'x', ...more }, {}, authorization);
    expect(refused).toMatchObject({ status, unchanged: true });
    expect(refused.Message!.length).toBeGreaterThan(10);
  });

  test('reject a file over the limit with 413, by the typed refusal, not by the byte limit', async () => {
    const refused = await send({
      TicketId: 47,
      Message: 'x',
      Attachments: [{ FileName: 'a', Data: Buffer.alloc(1.2 * 1024 * 1024).toString('base64') }],
    });
    expect(refused).toMatchObject({ status: 413, unchanged: true });
    expect(refused.Message).toContain('Attachments[0]');
  });
});

test('what is not asked for is not looked at: From, Cc and Bcc without SendViaOutboundEmail', async () => {
  const accepted = await send({
    TicketId: 47,
    Message: 'x',
    SendViaOutboundEmailFrom: '???',
    SendViaOutboundEmailCc: ['???'],
  });
  expect(accepted.status).toBe(200);
  expect(
    await gateway.sql`select 1 from deliveries where message_id = ${accepted.TicketMessageId!}`,
  ).toHaveLength(0);
});

test('an Idempotency-Key stores one message, and refuses another with 422', async () => {
  const key = { 'Idempotency-Key': 'once' };
  const first = await send({ TicketId: 47, Message: 'once' }, key);
  const again = await send({ TicketREF: 'INC-000047', Message: 'once' }, key);
  expect([first.status, again.status, again.TicketMessageId, again.unchanged]).toEqual([
    200,
    200,
    first.TicketMessageId,
    true,
  ]);
  expect([first.headers.get('idempotency-replayed'), again.headers.get('idempotency-replayed')]).toEqual([
    null,
    'true',
  ]);
  expect(await send({ TicketId: 47, Message: 'twice' }, key)).toMatchObject({ status: 422, unchanged: true });
});

test("the public PHP client's call is stored with its file", async () => {
  const body =
    '{"TicketREF":"INC-000047","TicketId":null,"Message":"P\\u0159\\u00edloha k ' +
    '\\/po\\u017eadavku\\/","Html":false,"IsPrivate":false,"IsMobileDevice":false,"Attachments":[{"Fil' +
    'eName":"p\\u0159\\u00edloha.txt","ContentType":"text\\/plain","ContentLength":"5","Data":"aGVsb' +
    'G8="}]}';
  const answer = await call(Number(new URL(gateway.url).port), {
    headers: { Authorization: asOperator, Accept: '*/*', 'Content-type': 'application/json' },
    body,
  });
  const { TicketMessageId } = JSON.parse(answer.body.toString()) as { TicketMessageId: number };
  expect(answer.status).toBe(200);
  const [message] = await gateway.sql`select * from messages where id = ${TicketMessageId}`;
  expect(message).toMatchObject({
    ticket_id: 47,
    body: 'Příloha k /požadavku/',
    format: 'TEXT',
    visibility: 'PUBLIC',
  });
  const [file] = await gateway.sql`select * from attachments where message_id = ${TicketMessageId}`;
  expect(file).toMatchObject({ file_name: 'příloha.txt', byte_size: 5 });
  expect(file!.content_type).toContain('text/plain');
  expect(
    await readFile(join(gateway.blobsDirectory, file!.blob_key.slice(0, 2), file!.blob_key), 'utf8'),
  ).toBe('hello');
});

test('the help page, the description and the answers carry what every answer carries', async () => {
  for (const path of ['/api', '/API/', '/api/openapi.yaml', '/api/Tickets/Nope']) {
    const answer = await fetch(gateway.url + path);
    expect(answer.headers.get('cache-control')).toBe('no-cache');
    await answer.text();
  }
});
