import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { negotiate } from '../../src/legacy/dotnet/negotiation.ts';
import { bareReply, errorReply, type LegacyReply, texts } from '../../src/legacy/reply.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { type BoundPost, bodyOf, cases, expectedBody, type LegacyCase } from './cases.ts';
import { type Answer, call } from './stand-in.ts';

/** Cases that are not kept to, each with its reason. At most six. */
const waived: Readonly<Record<string, string>> = {};

const everyAnswer = { 'cache-control': 'no-cache', pragma: 'no-cache', expires: '-1' };

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { ROLES: 'web' } });
  // The tickets that the cases assume beside those of the demo desk.
  await gateway.sql`insert into tickets (reference, subject, requester_id)
    values ('INC-1', 's', 2), ('R', 's', 2), ('47', 's', 2)`;
});
afterAll(() => gateway[Symbol.asyncDispose]());

test('waives six cases at most', () => {
  expect(Object.keys(waived).length).toBeLessThanOrEqual(6);
});

describe('answers as observed, and stores what was bound', () => {
  const calls = cases.filter(({ id, actionResult }) => !actionResult && !(id in waived));

  test.each(calls.map((c) => [c.id, c.name, c] as const))('%s %s', async (_id, _name, legacy) => {
    const before = await gateway.counts();
    // `Secured` is the same action behind an [Authorize] that fails: here, a call without a credential.
    const secured = legacy.path.endsWith('/Secured');
    const answer = await call(Number(new URL(gateway.url).port), {
      method: legacy.method,
      path: legacy.path.replace('Secured', 'NewMessage'),
      headers: { ...legacy.headers, ...(secured ? {} : { Authorization: asOperator }) },
      body: bodyOf(legacy),
      chunked: legacy.chunked,
    });
    compare(answer, legacy);
    if (answer.status === 200) await compareStored(await lastMessage(), legacy.bound!);
    else expect(await gateway.counts()).toEqual(before);
  });
});

describe('writes what an action returned as observed', () => {
  const actions: Record<string, (legacy: LegacyCase) => LegacyReply> = {
    'Unauthorized(Basic challenge)': () => bareReply(401, { 'WWW-Authenticate': 'Basic realm="Requestor"' }),
    'BadRequest(text)': (legacy) =>
      errorReply(
        400,
        negotiate(lower(legacy.headers)),
        'Ticket "INC-000047" <was> & not found. Příliš žluťoučký',
      ),
    'BadRequest()': () => bareReply(400),
    'StatusCode(403)': () => bareReply(403),
    throw: (legacy) => errorReply(500, negotiate(lower(legacy.headers)), texts.fault),
  };
  const results = cases.filter(({ id, actionResult }) => actionResult && !(id in waived));

  test.each(results.map((c) => [c.id, c.name, c] as const))('%s %s', (_id, _name, legacy) => {
    const { status, headers, body: written } = actions[legacy.actionResult!]!(legacy);
    const body = typeof written === 'string' ? Buffer.from(written) : written;
    compare({ status, headers: lower(headers as Record<string, string>), body }, legacy);
  });
});

function lower(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
}

function compare({ status, headers, body }: Answer, legacy: LegacyCase): void {
  const { expect: expected, textIsOurs } = legacy;
  expect(status).toBe(expected.status);
  expect(headers['content-type'] ?? null).toBe(expected.contentType);
  expect(headers).toMatchObject({
    ...everyAnswer,
    ...lower(expected.headers),
    'content-length': String(body.length),
  });
  // The ids were always 123 there.
  const [got, wanted] = [body, expectedBody(legacy)].map((bytes) => {
    const text = bytes.toString(expected.bodyUtf16leWithBom === undefined ? 'utf8' : 'utf16le');
    return text.replace(/(?<=TicketMessageId(?:>|":))\d+/, '123');
  });
  if (!textIsOurs) expect(got).toBe(wanted);
  else expect(got).toMatch(/^(\{"Message":"[^"]{10,}"\}|<Error><Message>[^<]{10,}<\/Message><\/Error>)$/);
}

async function lastMessage() {
  const [message] = await gateway.sql`
    select messages.*, tickets.reference from messages join tickets on tickets.id = messages.ticket_id
    order by messages.id desc limit 1`;
  const attachments =
    await gateway.sql`select * from attachments where message_id = ${message!.id} order by position`;
  const recipients = await gateway.sql`
    select kind, address, from_address from deliveries join delivery_recipients on delivery_id = deliveries.id
    where message_id = ${message!.id} order by position`;
  return { message: message!, attachments, recipients };
}

async function compareStored(
  stored: Awaited<ReturnType<typeof lastMessage>>,
  bound: BoundPost,
): Promise<void> {
  expect(stored.message).toMatchObject({
    ...(bound.TicketREF === null ? {} : { reference: bound.TicketREF }),
    ...(bound.TicketId === null ? {} : { ticket_id: bound.TicketId }),
    body: bound.Message,
    format: bound.Html ? 'HTML' : 'TEXT',
    visibility: bound.IsPrivate ? 'PRIVATE' : 'PUBLIC',
    is_mobile_device: bound.IsMobileDevice,
  });
  const files = (bound.Attachments ?? [])
    .flatMap((file, i) => (file ? [{ ...file, number: i + 1 }] : []))
    // An item that says nothing is no file.
    .filter(({ FileName, Data }) => FileName !== null || Data !== null);
  const contents = await Promise.all(
    stored.attachments.map(({ blob_key: key }) =>
      readFile(join(gateway.blobsDirectory, key.slice(0, 2), key)),
    ),
  );
  expect(
    stored.attachments.map((row, i) => [row.file_name, row.byte_size, contents[i]!.toString('base64')]),
  ).toEqual(
    files.map(({ FileName, Data, number }) => [
      FileName ?? `attachment-${number}`,
      Buffer.from(Data ?? '', 'base64').length,
      Data ?? '',
    ]),
  );
  const of = (kind: string) => stored.recipients.filter((row) => row.kind === kind).map((row) => row.address);
  const mailed = bound.SendViaOutboundEmail;
  expect(stored.recipients.length > 0).toBe(mailed);
  if (!mailed) return;
  expect(stored.recipients[0]!.from_address).toBe(bound.SendViaOutboundEmailFrom);
  expect(of('CC')).toEqual(bound.SendViaOutboundEmailCc ?? []);
  expect(of('BCC')).toEqual(bound.SendViaOutboundEmailBcc ?? []);
}
