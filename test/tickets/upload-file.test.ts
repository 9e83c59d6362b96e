import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { countWaiting } from '../support/database.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { soaking } from '../support/soak.ts';
import { add, get, upload } from './calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({
    env: { ROLES: 'web', MAX_ATTACHMENT_BYTES: '2000' },
    overrides: { writer: { lockPatience: 600_000 } },
  });
});
afterAll(() => gateway[Symbol.asyncDispose]());

const text = 'Přílohy a logy\n';
const file = new File([text], 'záznam.log', { type: 'text/plain' });
const noSuchUpload = (...place: string[]) => ({
  code: 'INVALID_INPUT',
  problems: [
    {
      path: ['attachments', ...(place.length === 0 ? ['0'] : place), 'upload'],
      message: 'There is no such upload, or it has expired',
    },
  ],
});

const attachedBefore = (index = '0') => ({
  code: 'INVALID_INPUT',
  problems: [
    {
      path: ['attachments', index, 'upload'],
      message: 'This upload is already attached to a message, and an upload can be attached only once',
    },
  ],
});

test('a file is taken in first and attached by its id, once', async () => {
  const { upload: id, ...told } = await upload(gateway, file, asRequester);
  const sha256 = createHash('sha256').update(text).digest('hex');
  const byteSize = Buffer.byteLength(text);
  expect(told).toEqual({
    __typename: 'UploadFilePayload',
    ...{ fileName: 'záznam.log', contentType: 'text/plain', byteSize, sha256 },
  });
  const attachments = [{ upload: id }];
  const added = await add(gateway, { attachments }, { authorization: asRequester });
  expect(added.ticketMessage.attachments).toMatchObject([{ fileName: 'záznam.log', byteSize, sha256 }]);
  const { downloadUrl } = added.ticketMessage.attachments[0]!;
  expect(await (await get(downloadUrl, asRequester)).text()).toBe(text);

  const before = await gateway.counts();
  expect(await add(gateway, { attachments }, { authorization: asRequester })).toMatchObject(attachedBefore());
  expect(await gateway.counts()).toEqual(before);
});

test('a repeated key returns the first result, whatever happened to its upload', async () => {
  const { upload: id } = await upload(gateway, file, asOperator);
  const input = { attachments: [{ upload: id }], idempotencyKey: 'with-an-upload' };
  const first = await add(gateway, input);
  const before = await gateway.counts();
  const again = await add(gateway, input);
  expect(again.ticketMessage).toEqual(first.ticketMessage);
  expect(await add(gateway, { ...input, body: 'Something else' })).toMatchObject({
    code: 'IDEMPOTENCY_KEY_REUSED',
  });
  expect(await add(gateway, { ...input, idempotencyKey: 'another-key' })).toMatchObject(attachedBefore());
  expect(await gateway.counts()).toEqual(before);
});

test('of two messages that name it at the same moment one has it, and nobody else is disturbed', async () => {
  for (let round = 0; round < (soaking ? 5 : 2); round += 1) {
    const { upload: id } = await upload(gateway, file, asOperator);
    const before = await gateway.counts();
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => add(gateway, { attachments: [{ upload: id }] })),
      ...Array.from({ length: 4 }, () => add(gateway, {})),
    ]);
    const names = answers.map(({ __typename }) => __typename);
    expect(names.slice(0, 4).sort()).toEqual([
      'AddTicketMessagePayload',
      ...Array.from({ length: 3 }, () => 'InvalidInputError'),
    ]);
    expect(new Set(names.slice(4))).toEqual(new Set(['AddTicketMessagePayload']));
    const after = await gateway.counts();
    expect([after.messages! - before.messages!, after.attachments! - before.attachments!]).toEqual([5, 1]);
  }
});

test('named twice in one message, it is refused for the second place', async () => {
  const { upload: id } = await upload(gateway, file, asOperator);
  expect(await add(gateway, { attachments: [{ upload: id }, { upload: id }] })).toMatchObject(
    attachedBefore('1'),
  );
});

test('an upload and a file of the request go together, in the order of the input', async () => {
  const { upload: id } = await upload(gateway, file, asOperator);
  const attachments = [{ file: null }, { upload: id }];
  const added = await add(gateway, { attachments }, { files: [new File(['x'], 'first.txt')] });
  expect(added.ticketMessage.attachments.map(({ fileName }) => fileName)).toEqual([
    'first.txt',
    'záznam.log',
  ]);
});

test('another user’s upload, an unknown and an invalid one get one refusal, with their paths', async () => {
  const { upload: own } = await upload(gateway, file, asOperator);
  const { upload: anothers } = await upload(gateway, file, asRequester);
  const before = await gateway.counts();
  const unknown = Buffer.from('Upload:00000000-0000-4000-8000-000000000000').toString('base64');
  for (const id of [anothers, unknown, 'nonsense', ''])
    expect(await add(gateway, { attachments: [{ upload: own }, { upload: id }] })).toMatchObject(
      noSuchUpload('1'),
    );
  expect(await gateway.counts()).toEqual(before);
});

test('after 24 hours an upload is gone, whether the collector has come by or not', async () => {
  const { upload: id } = await upload(gateway, file, asOperator);
  const attachments = [{ upload: id }];
  const age = (interval: string) =>
    gateway.sql`update uploads set created_at = now() - ${interval}::text::interval
      where id = ${atob(id).slice(7)}`;
  await age('24 hours 1 minute');
  expect(await add(gateway, { attachments })).toMatchObject(noSuchUpload());
  await age('23 hours 59 minutes');
  expect((await add(gateway, { attachments })).__typename).toBe('AddTicketMessagePayload');
});

test('strangers and files that are too large are refused, and leave nothing', async () => {
  const rows = async () => [
    ...(await gateway.sql`select (select count(*) from uploads), (select count(*) from blobs)`),
  ];
  const before = await rows();
  expect(await upload(gateway, file, null)).toMatchObject({ code: 'UNAUTHENTICATED' });
  const large = new File([Buffer.alloc(2001)], 'large.bin');
  expect(await upload(gateway, large, asOperator)).toMatchObject({ code: 'ATTACHMENT_TOO_LARGE' });
  expect(await rows()).toEqual(before);
});

test('an upload redacted between lookup and write is refused, and nothing is written', async () => {
  const { upload: id } = await upload(gateway, new File(['to be redacted'], 'a.txt'), asOperator);
  const attachments = [{ upload: id }];
  let later: ReturnType<typeof add> | undefined;
  await gateway.sql.begin(async (tx) => {
    // It waits for its ticket; by then its upload was found.
    await tx`select from tickets where id = 41 for update`;
    later = add(gateway, { ticket: { ticketId: 41 }, body: 'too late', attachments });
    await expect.poll(() => countWaiting(gateway.sql)).toBeGreaterThan(0);
    const first = await add(gateway, { ticket: { ticketId: 40 }, attachments });
    const redacted = await gateway.graphql(
      'mutation ($id: ID!) { redactAttachment(input: {attachment: $id}) { __typename } }',
      { id: first.ticketMessage.attachments[0]!.id },
    );
    expect(redacted.data).toEqual({ redactAttachment: { __typename: 'RedactAttachmentPayload' } });
  });
  expect(await later!).toMatchObject(attachedBefore());
  expect(await gateway.sql`select from messages where body = 'too late'`).toHaveLength(0);
});

test('an upload collected between lookup and write is refused at its place in the input', async () => {
  const { upload: id } = await upload(gateway, new File(['to be collected'], 'b.png'), asOperator);
  const { upload: kept } = await upload(gateway, new File(['kept'], 'c.txt'), asOperator);
  const attachments = [{ upload: kept }, { inline: { contentId: 'b', upload: id } }];
  let later: ReturnType<typeof add> | undefined;
  await gateway.sql.begin(async (tx) => {
    await tx`select from tickets where id = 41 for update`;
    later = add(gateway, { ticket: { ticketId: 41 }, body: 'too late', attachments });
    await expect.poll(() => countWaiting(gateway.sql)).toBeGreaterThan(0);
    await gateway.sql`with gone as (delete from uploads where id = ${atob(id).slice(7)} returning blob_key)
      delete from blobs where key in (select blob_key from gone)`;
  });
  expect(await later!).toMatchObject(noSuchUpload('1', 'inline'));
  expect(await gateway.sql`select from messages where body = 'too late'`).toHaveLength(0);
});
