import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { encodeGlobalId } from '../../src/platform/global-id.ts';
import { placeOf } from '../support/cursor.ts';
import { openStream } from '../support/event-stream.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../support/gateway.ts';
import { type Added, add, ask, get, messageId, untilNoMailIsUnderWay, upload } from './calls.ts';

let gateway: Gateway;
/** Each test's own. */
let secret: string;
let secrets = 0;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());
beforeEach(async () => {
  secrets += 1;
  secret = `hunter${secrets}-is-the-password`;
  gateway.sink.setFaults([]);
  await untilNoMailIsUnderWay(gateway);
});

const file = (text = secret, name = `${secret}.txt`) => new File([text], name, { type: 'text/x-secret' });

interface Redacted {
  code?: string;
  path?: string[];
  alreadyRedacted: boolean;
  ticketMessage: {
    body: string;
    bodyHtml: string;
    bodyText: string;
    redactedAt: string | null;
    attachments: Attachment[];
    delivery: { state: string; failure: string | null } | null;
  };
  attachment: Attachment;
}
interface Attachment {
  fileName: string;
  contentType: string;
  byteSize: number;
  sha256: string | null;
  downloadUrl: string | null;
  redactedAt: string | null;
}

const attachmentFields = 'fileName contentType byteSize sha256 downloadUrl redactedAt';
const messageFields = `body bodyHtml bodyText redactedAt delivery { state failure }
  attachments { ${attachmentFields} }`;
const redactMessage = (message: string, more: object = {}, authorization: string | null = asOperator) =>
  ask<Redacted>(
    gateway,
    `mutation ($input: RedactMessageInput!) { redactMessage(input: $input) {
      ... on RedactMessagePayload { alreadyRedacted ticketMessage { ${messageFields} } }
      ... on UserError { code path } } }`,
    { input: { message, ...more } },
    { authorization },
  );
const redactAttachment = (attachment: string, more: object = {}, authorization: string | null = asOperator) =>
  ask<Redacted>(
    gateway,
    `mutation ($input: RedactAttachmentInput!) { redactAttachment(input: $input) {
      ... on RedactAttachmentPayload { alreadyRedacted attachment { ${attachmentFields} } ticketMessage {
      ${messageFields} } }
      ... on UserError { code path } } }`,
    { input: { attachment, ...more } },
    { authorization },
  );

const withFile = (input: object = {}, files = [file()]) =>
  add(gateway, { body: secret, attachments: files.map(() => ({ file: null })), ...input }, { files });
const held = { from: 'company@domain.com', holdSeconds: 3600 };

const eventsAfter = async (cursor: string, ticket = 47) => {
  const rows = await gateway.sql`
    select number, public_number, type, visibility, actor_id, message_id, delivery_id from events
    where ticket_id = ${ticket} and number > ${placeOf(cursor)} order by number`;
  return [...rows];
};
const auditOf = async ({ ticketMessage }: Added) => [
  ...(await gateway.sql`
    select actor_id, action, ticket_id, details from audit_entries
    where message_id = ${ticketMessage.messageId} order by id`),
];
const keptBlobs = async () =>
  (await readdir(gateway.blobsDirectory, { recursive: true }).catch((): string[] => []))
    .filter((name) => /\/[0-9a-f]{40}$/.test(name))
    .sort();
/** Everything that any table says, as text. */
const whereverWritten = async (text: string) => {
  const tables = await gateway.sql<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public' order by tablename`;
  const looks = tables.map(
    ({ name }) => `select '${name}' as name where exists (select from "${name}" t
      where t::text like $1 or t::text like $2)`,
  );
  const found = await gateway.sql.unsafe<{ name: string }[]>(looks.join(' union all '), [
    `%${text}%`,
    `%${Buffer.from(text).toString('hex')}%`,
  ]);
  return found.map(({ name }) => name);
};
/** The same of a message that is not redacted: its words are written later, before this look or after it. */
const writtenWithIt = async (text: string) =>
  (await whereverWritten(text)).filter((table) => table !== 'message_search');
/** The class's numbers are 1, 2, 3 … and the ticket's row agrees. */
const assertGapless = async (ticket: number) => {
  const [row] = await gateway.sql`
    select t.last_event_number = count(*) and max(e.number) = count(*) as all,
      t.last_public_event_number = count(e.public_number)
      and max(e.public_number) = count(e.public_number) as public
    from tickets t join events e on e.ticket_id = t.id where t.id = ${ticket} group by t.id`;
  expect({ ...row }).toEqual({ all: true, public: true });
};

test('a redacted message keeps its place; its text, files and names are in no table or file', async () => {
  const blobsBefore = await keptBlobs();
  const added = await withFile({ email: held }, [file(), file('second', 'second.txt')]);
  const { id } = added.ticketMessage;
  expect(await writtenWithIt(secret)).toEqual(['attachments', 'messages']);
  const before = await gateway.counts();

  const result = await redactMessage(id, { reason: 'a pasted password' });
  const redactedAt = expect.stringMatching(/^20/);
  const file1 = {
    fileName: 'redacted-1',
    contentType: 'application/octet-stream',
    byteSize: secret.length,
    ...{ sha256: null, downloadUrl: null, redactedAt },
  };
  const tombstone = {
    ...{ body: '', bodyHtml: '', bodyText: '', redactedAt },
    attachments: [file1, { ...file1, fileName: 'redacted-2', byteSize: 6 }],
    delivery: { state: 'CANCELLED', failure: 'Not sent: the message was redacted' },
  };
  expect(result).toEqual({ alreadyRedacted: false, ticketMessage: tombstone });

  expect(await whereverWritten(secret)).toEqual([]);
  expect(await keptBlobs()).toEqual(blobsBefore);
  const deliveryId = Number(atob(added.delivery!.id).split(':')[1]);
  const common = { actor_id: 1, message_id: added.ticketMessage.messageId };
  expect(await eventsAfter(added.cursor)).toEqual([
    {
      ...common,
      number: placeOf(added.cursor) + 1,
      public_number: expect.any(Number),
      ...{ type: 'MESSAGE_REDACTED', visibility: 'PUBLIC', delivery_id: null },
    },
    {
      ...common,
      number: placeOf(added.cursor) + 2,
      public_number: null,
      ...{ type: 'DELIVERY_CANCELLED', visibility: 'PRIVATE', delivery_id: deliveryId },
    },
  ]);
  await assertGapless(47);
  expect(await auditOf(added)).toEqual([
    { actor_id: 1, action: 'MESSAGE_REDACTED', ticket_id: 47, details: { reason: 'a pasted password' } },
  ]);
  expect(await gateway.counts()).toEqual({
    ...before,
    blobs: before.blobs! - 2,
    events: before.events! + 2,
  });

  // The conversation, the node and the requester see the same.
  const [page, node] = await Promise.all([
    ask<{ messages: { nodes: { node: object }[] } }>(
      gateway,
      `{ ticket(by: { ticketId: 47 }) { messages(last: 1) { nodes: edges { node { ${messageFields} } } } } }`,
    ),
    ask<object>(gateway, `query ($id: ID!) { node(id: $id) { ... on TicketMessage { ${messageFields} } } }`, {
      id,
    }),
  ]);
  expect(page.messages.nodes[0]!.node).toEqual(tombstone);
  expect(node).toEqual(tombstone);
  const theirs = await ask<object>(
    gateway,
    `query ($id: ID!) { node(id: $id) { ... on TicketMessage { ${messageFields} } } }`,
    { id },
    { authorization: asRequester },
  );
  expect(theirs).toEqual({ ...tombstone, delivery: null });
});

test('a second redaction changes nothing: not when, not why, no event, no audit entry', async () => {
  const added = await withFile();
  const first = await redactMessage(added.ticketMessage.id, { reason: 'first' });
  const before = [await gateway.counts(), await auditOf(added)];
  const again = await Promise.all(
    [1, 2, 3].map(() => redactMessage(added.ticketMessage.id, { reason: 'again' })),
  );
  for (const result of again) expect(result).toEqual({ ...first, alreadyRedacted: true });
  const attachment = await redactAttachment(added.ticketMessage.attachments[0]!.id);
  expect(attachment.alreadyRedacted).toBe(true);
  expect([await gateway.counts(), await auditOf(added)]).toEqual(before);
});

test('of ten who redact at once, one does it', async () => {
  const added = await withFile();
  const results = await Promise.all(Array.from({ length: 10 }, () => redactMessage(added.ticketMessage.id)));
  expect(results.filter(({ alreadyRedacted }) => !alreadyRedacted)).toHaveLength(1);
  expect(await auditOf(added)).toHaveLength(1);
  await assertGapless(47);
});

test('whoever watches the ticket is told, and shown what is left', async () => {
  const added = await withFile({ ticket: { ticketId: 17 } });
  // A requester counts by cursors of their own.
  const { cursor } = await ask<{ cursor: string }>(
    gateway,
    '{ ticket(by: { ticketId: 17 }) { cursor } }',
    {},
    { authorization: asRequester },
  );
  const listening = new AbortController();
  const query =
    `subscription { ticketEvents(ticket: { ticketId: 17 }, after: "${cursor}") { type ` +
    'ticketMessage { messageId bodyText } } }';
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { authorization: asRequester, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query }),
    signal: listening.signal,
  });
  await redactMessage(added.ticketMessage.id);
  let told = '';
  for await (const chunk of response.body!) {
    told += Buffer.from(chunk).toString();
    if (told.includes('ticketEvents')) break;
  }
  listening.abort();
  const { messageId: id } = added.ticketMessage;
  expect(told).toContain(`{"type":"MESSAGE_REDACTED","ticketMessage":{"messageId":${id},"bodyText":""}}`);
  expect(told).not.toContain(secret);
});

test('who comes right after a redaction is not shown what watchers were shown before it', async () => {
  const query = `subscription ($after: String) { ticketEvents(ticket: { ticketId: 18 }, after: $after) {
    type ticketMessage { messageId bodyText } } }`;
  const { cursor: after } = await ask<{ cursor: string }>(
    gateway,
    '{ ticket(by: { ticketId: 18 }) { cursor } }',
  );
  const watch = () => openStream(gateway.url, { query, variables: { after } }, { authorization: asOperator });
  const watcher = await watch();
  const { ticketMessage } = await add(gateway, { ticket: { ticketId: 18 }, body: secret });
  const { messageId: id } = ticketMessage;
  const shown = (bodyText: string) => ({
    data: { ticketEvents: { type: 'MESSAGE_ADDED', ticketMessage: { messageId: id, bodyText } } },
  });
  expect((await watcher.next())!.data).toEqual(shown(secret));
  await redactMessage(ticketMessage.id);
  const late = await watch();
  expect((await late.next())!.data).toEqual(shown(''));
  watcher.leave();
  late.leave();
});

test('of a private note nobody but operators is told', async () => {
  const added = await withFile({ visibility: 'PRIVATE' });
  const count = () =>
    ask<{ cursor: string; messageCount: number }>(
      gateway,
      '{ ticket(by: { ticketId: 47 }) { cursor messageCount } }',
      {},
      { authorization: asRequester },
    );
  const before = await count();
  await redactMessage(added.ticketMessage.id);
  expect(await count()).toEqual(before);
  expect(await eventsAfter(added.cursor)).toMatchObject([
    { type: 'MESSAGE_REDACTED', visibility: 'PRIVATE', public_number: null },
  ]);
  await assertGapless(47);
});

test('redacting one file keeps the text and the other file, and cancels the waiting mail', async () => {
  const added = await withFile({ body: 'The text stays', email: held }, [file(), file('kept', 'kept.txt')]);
  const [first, second] = added.ticketMessage.attachments;
  const { attachment, ticketMessage, alreadyRedacted } = await redactAttachment(first!.id, {
    reason: 'GDPR',
  });
  expect(alreadyRedacted).toBe(false);
  expect(attachment).toMatchObject({ fileName: 'redacted-1', sha256: null, downloadUrl: null });
  expect(ticketMessage).toMatchObject({
    ...{ body: 'The text stays', redactedAt: null },
    attachments: [{ redactedAt: expect.any(String) }, { fileName: 'kept.txt', redactedAt: null }],
    delivery: { state: 'CANCELLED', failure: 'Not sent: a file of the message was redacted' },
  });
  expect((await get(first!.downloadUrl, asOperator)).status).toBe(404);
  expect(await (await get(second!.downloadUrl, asOperator)).text()).toBe('kept');
  expect(await auditOf(added)).toMatchObject([
    { action: 'ATTACHMENT_REDACTED', details: { reason: 'GDPR', attachmentId: expect.any(Number) } },
  ]);
  expect(await eventsAfter(added.cursor)).toMatchObject([
    { type: 'MESSAGE_REDACTED', visibility: 'PUBLIC' },
    { type: 'DELIVERY_CANCELLED' },
  ]);
  expect(await whereverWritten(secret)).toEqual([]);
});

test('bytes shared with another message stay for it; their upload cannot be attached again', async () => {
  const before = await keptBlobs();
  const { upload: id } = await upload(gateway, file(), asOperator);
  const attachments = [{ upload: id }];
  const [one, other] = [await add(gateway, { attachments }), await add(gateway)];
  // An upload could be attached to several messages once, and desks have such rows.
  const [copy] = await gateway.sql<{ id: number }[]>`
    insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
    select ${other.ticketMessage.messageId}, 1, blob_key, file_name, content_type, byte_size, sha256
    from attachments where message_id = ${one.ticketMessage.messageId} returning id`;
  await redactMessage(one.ticketMessage.id);
  expect(await keptBlobs()).toHaveLength(before.length + 1);
  const kept = await get(`${gateway.url}/attachments/${btoa(`Attachment:${copy!.id}`)}`, asOperator);
  expect(await kept.text()).toBe(secret);
  expect(await add(gateway, { attachments })).toMatchObject({
    code: 'INVALID_INPUT',
    problems: [{ path: ['attachments', '0', 'upload'] }],
  });
  await redactMessage(other.ticketMessage.id);
  expect(await keptBlobs()).toEqual(before);
});

test('redaction deletes the source of the sent mail and of quoting ones; they can be retried', async () => {
  const sent = gateway.sink.mails.length;
  const email = { from: 'company@domain.com' };
  const first = await withFile({ ticket: { ticketId: 2 }, email });
  await gateway.sink.received(sent + 1);
  gateway.sink.setFaults([{ at: 'DOT', reply: '451 4.3.0 later', times: 1 }]);
  const quoting = await add(gateway, {
    ticket: { ticketId: 2 },
    body: 'Below',
    email: { ...email, quote: 'ALL' },
  });
  const stateOf = async ({ delivery }: Added) =>
    (await ask<{ state: string }>(gateway, `{ node(id: "${delivery!.id}") { ... on Delivery { state } } }`))
      .state;
  await expect.poll(() => stateOf(first)).toBe('SENT');
  await expect.poll(() => stateOf(quoting)).toBe('DEFERRED');
  const sources = () => gateway.sql`
    select from delivery_sources join deliveries d on d.id = delivery_id where d.ticket_id = 2`;
  expect(await sources()).toHaveLength(2);
  const sourceText = await (await get(quoting.delivery!.sourceUrl, asOperator)).text();
  expect(sourceText).toContain(secret);

  const { ticketMessage } = await redactMessage(first.ticketMessage.id);
  expect(ticketMessage.delivery).toEqual({ state: 'SENT', failure: null });
  expect(await sources()).toHaveLength(0);
  expect((await get(first.delivery!.sourceUrl, asOperator)).status).toBe(404);
  expect(await whereverWritten(secret)).toEqual([]);

  await ask(gateway, 'mutation ($input: DeliveryInput!) { retryDelivery(input: $input) { __typename } }', {
    input: { delivery: quoting.delivery!.id },
  });
  await expect.poll(() => stateOf(quoting)).toBe('SENT');
  const last = gateway.sink.mails.at(-1)!.source.toString();
  expect(last).toContain('Below');
  expect(last).not.toContain(secret);
});

/** What the ledger says of each attempt of its mail. */
const repliesOf = async ({ delivery }: Added) =>
  (
    await ask<{ attempts: { reply: string | null }[] }>(
      gateway,
      `{ node(id: "${delivery!.id}") { ... on Delivery { attempts { reply } } } }`,
    )
  ).attempts.map(({ reply }) => reply);

/** Sends another mail: whatever else was on its way has had the time that a whole mail takes. */
async function untilNextIsThrough(mails: number): Promise<void> {
  await add(gateway, { ticket: { ticketId: 13 }, body: 'Next', email: { from: 'company@domain.com' } });
  await gateway.sink.received(mails);
}

for (const [at, expected] of [
  ['RCPT', { own: 'CANCELLED', mails: 0 }],
  ['REPLY', { own: 'SENT', mails: 1 }],
] as const) {
  test(`a mail under way is ${expected.mails ? 'not ' : ''}stopped when it has come to ${at}`, async () => {
    const sent = gateway.sink.mails.length;
    const gate = Promise.withResolvers<void>();
    gateway.sink.setFaults([{ at, until: gate.promise, times: 1 }]);
    const steps = gateway.sink.steps.length;
    const added = await withFile({ ticket: { ticketId: 7 }, email: { from: 'company@domain.com' } });
    await expect.poll(() => gateway.sink.steps.slice(steps).some(({ step }) => step === at)).toBe(true);
    await redactMessage(added.ticketMessage.id);
    gate.resolve();
    const delivery = `{ node(id: "${added.delivery!.id}") {
      ... on Delivery { state attempts { endedAt } } } }`;
    const ended = async () => {
      const { state, attempts } = await ask<{ state: string; attempts: { endedAt: string | null }[] }>(
        gateway,
        delivery,
      );
      return attempts.every(({ endedAt }) => endedAt !== null) ? state : 'under way';
    };
    await expect.poll(ended).toBe(expected.own);
    // The worker is on its own way to the fence until the server has answered.
    await untilNextIsThrough(sent + expected.mails + 1);
    expect(await ended()).toBe(expected.own);
    expect(gateway.sink.mails.length - sent).toBe(expected.mails + 1);
    if (expected.own === 'CANCELLED') expect(await repliesOf(added)).toEqual(['the message was redacted']);
    // The source had been stored before the connection.
    expect(await whereverWritten(secret)).toEqual([]);
    await assertGapless(7);
  });
}

test('the attempt of a mail under way says that it was a file of its message that was redacted', async () => {
  const gate = Promise.withResolvers<void>();
  gateway.sink.setFaults([{ at: 'RCPT', until: gate.promise, times: 1 }]);
  const steps = gateway.sink.steps.length;
  const added = await withFile({ ticket: { ticketId: 8 }, email: { from: 'company@domain.com' } });
  await expect.poll(() => gateway.sink.steps.slice(steps).some(({ step }) => step === 'RCPT')).toBe(true);
  const { ticketMessage } = await redactAttachment(added.ticketMessage.attachments[0]!.id);
  gate.resolve();
  const failure = 'Not sent: a file of the message was redacted';
  expect(ticketMessage.delivery).toEqual({ state: 'CANCELLED', failure });
  expect(await repliesOf(added)).toEqual(['a file of the message was redacted']);
});

test('a mail that quotes it and is under way is made anew without it, and goes once', async () => {
  const sent = gateway.sink.mails.length;
  const quoted = await add(gateway, { ticket: { ticketId: 12 }, body: secret });
  const gate = Promise.withResolvers<void>();
  gateway.sink.setFaults([{ at: 'RCPT', until: gate.promise, times: 1 }]);
  const steps = gateway.sink.steps.length;
  const email = { from: 'company@domain.com', quote: 'LAST' };
  const quoting = await add(gateway, { ticket: { ticketId: 12 }, body: 'Below', email });
  await expect.poll(() => gateway.sink.steps.slice(steps).some(({ step }) => step === 'RCPT')).toBe(true);
  await redactMessage(quoted.ticketMessage.id);
  gate.resolve();
  await gateway.sink.received(sent + 1);
  await untilNextIsThrough(sent + 2);
  const mails = gateway.sink.mails.slice(sent).map(({ source }) => source.toString());
  expect(mails).toEqual([expect.stringContaining('Below'), expect.stringContaining('Next')]);
  expect(mails[0]).not.toContain(secret);
  expect((await repliesOf(quoting))[0]).toBe('a message that it may quote was redacted');
  await assertGapless(12);
});

test('a repeated call is answered with what is left, and does not bring the text back', async () => {
  const idempotencyKey = 'redacted-and-repeated';
  const added = await add(gateway, { body: secret, idempotencyKey });
  await redactMessage(added.ticketMessage.id);
  const again = await add(gateway, { body: secret, idempotencyKey });
  expect(again.ticketMessage).toEqual(added.ticketMessage);
  expect(await whereverWritten(secret)).toEqual([]);
});

test('forbidden, missing and invalid reasons are refused, and nothing is changed', async () => {
  const added = await withFile();
  const before = await gateway.counts();
  const { id, attachments } = added.ticketMessage;
  const { token } = await createToken(gateway.database.database.desk, {
    userId: 1,
    name: 'all but admin',
    scopes: ['read', 'write', 'mail'],
  });
  const attachment = attachments[0]!.id;
  for (const [authorization, code] of [
    [null, 'UNAUTHENTICATED'],
    [asRequester, 'FORBIDDEN'],
    [`Bearer ${token}`, 'FORBIDDEN'],
  ] as const) {
    expect(await redactMessage(id, {}, authorization)).toMatchObject({ code });
    expect(await redactAttachment(attachment, {}, authorization)).toMatchObject({ code });
  }
  for (const nobodys of [messageId(999_999), 'nonsense', encodeGlobalId('Ticket', 47), '']) {
    expect(await redactMessage(nobodys)).toEqual({ code: 'MESSAGE_NOT_FOUND', path: ['message'] });
    expect(await redactAttachment(nobodys)).toEqual({ code: 'ATTACHMENT_NOT_FOUND', path: ['attachment'] });
  }
  for (const reason of ['x'.repeat(1001), 'a\0b', '\ud800'])
    expect(await redactMessage(id, { reason })).toEqual({ code: 'INVALID_INPUT', path: ['reason'] });
  expect(await gateway.counts()).toEqual(before);
  expect(await writtenWithIt(secret)).toEqual(['attachments', 'messages']);
  await redactMessage(id);
});
