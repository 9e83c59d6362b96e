import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess } from '../crash/support/gateway-process.ts';
import { openTcpDoor } from '../crash/support/tcp-door.ts';
import { createTestDatabase } from '../support/database.ts';
import { turn } from '../support/eventually.ts';
import { asOperator } from '../support/gateway.ts';
import { startS3Server } from '../support/servers/s3-server.ts';
import { sampled, soaking } from '../support/soak.ts';

/*
 * A file is stored exactly as it was sent, whenever its command asks for it and however slow the store is.
 * Each store is slow here: reads are reported late, and writes to files or to S3 are delayed.
 */

const sizes = [69, 0, 4096, 65_536, 200_000, (soaking ? 3 : 1) * 1024 * 1024];
const files = sizes.map((size) => randomBytes(size));
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const digests = files.map(sha256);

const boundary = 'x0123456789';
const field = (name: string, value: object) =>
  Buffer.from(
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${JSON.stringify(value)}\r\n`,
  );
const file = (name: number | string, bytes: Buffer) =>
  Buffer.concat([
    Buffer.from(
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${name}.bin"\r\n\r\n`,
    ),
    bytes,
    Buffer.from('\r\n'),
  ]);
const closing = Buffer.from(`--${boundary}--\r\n`);

const result =
  '{ __typename ... on AddTicketMessagePayload { ticketMessage { attachments { sha256 ' +
  'downloadUrl } } } }';
const one = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) ${result} }`;
const two = `mutation ($first: AddTicketMessageInput!, $input: AddTicketMessageInput!) {
  first: addTicketMessage(input: $first) ${result} addTicketMessage(input: $input) ${result}
}`;
const input = (count: number, ticketId = 47) => ({
  ticket: { ticketId },
  body: 'With files',
  attachments: Array.from({ length: count }, () => ({ file: null })),
});
const mapped = (count: number, name = 'input') =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => [n, [`variables.${name}.attachments.${n}.file`]]),
  );

describe.each(sampled(['S3', 'disk'], 2))('a slow %s', (kind) => {
  const parts = new AsyncDisposableStack();
  let gateway: GatewayProcess;
  let sql: postgres.Sql;

  beforeAll(async () => {
    const database = parts.use(await createTestDatabase('demo'));
    const door = parts.use(await openTcpDoor(database.connection));
    sql = database.asOwner(2);
    parts.defer(() => sql.end({ timeout: 5 }));
    gateway = parts.use(
      await startGatewayProcess({
        DATABASE_URL: door.urlOf(database.connection),
        DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
        SMTP_URL: 'smtp://127.0.0.1:9',
        ROLES: 'web',
        BLOBS_URL: kind === 'S3' ? await openS3() : await openDisk(),
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'secret',
        NODE_OPTIONS: `--import=${new URL('./late-reads.ts', import.meta.url).href}`,
      }),
    );
  });
  afterAll(() => parts.disposeAsync());

  async function openDisk(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    return pathToFileURL(join(directory, 'blobs')).href;
  }

  async function openS3(): Promise<string> {
    const server = parts.use(await startS3Server());
    server.delayMs = 20;
    return `s3://desk/files?endpoint=${server.endpoint}&region=eu-central-1&pathStyle=1`;
  }

  /** @param chunks sent as they come: what they wait for in between is the test's matter */
  async function send(path: string, type: string, chunks: AsyncIterable<Buffer> | Iterable<Buffer>) {
    const outgoing = request(`${gateway.url}${path}`, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: asOperator,
        'content-type': type,
        'graphql-preflight': '1',
      },
    });
    const answered = new Promise<string>((resolve, reject) => {
      outgoing.on('error', reject).on('response', (response) => resolve(text(response)));
    });
    for await (const chunk of chunks) outgoing.write(chunk);
    outgoing.end();
    return JSON.parse(await answered);
  }
  const sendForm = (chunks: AsyncIterable<Buffer> | Iterable<Buffer>) =>
    send('/graphql', `multipart/form-data; boundary=${boundary}`, chunks);

  interface Attachment {
    readonly sha256: string;
    readonly downloadUrl: string;
  }
  async function expectFiles(answer: {
    data: { addTicketMessage: { ticketMessage: { attachments: Attachment[] } } };
  }) {
    const { attachments } = answer.data.addTicketMessage.ticketMessage;
    expect(attachments.map((attachment) => attachment.sha256)).toEqual(digests);
    for (const [n, { downloadUrl }] of attachments.entries()) {
      const response = await fetch(downloadUrl, { headers: { authorization: asOperator } });
      expect(sha256(Buffer.from(await response.arrayBuffer()))).toBe(digests[n]);
    }
  }

  test('asked for before a byte of it has come', async () => {
    async function* slowly() {
      yield field('operations', { query: one, variables: { input: input(files.length) } });
      yield field('map', mapped(files.length));
      for (const [n, bytes] of files.entries()) {
        const part = file(n, bytes);
        for (let at = 0; at < part.length; at += 400_000) {
          // Another turn of the sender's loop, so that the pieces leave one by one.
          await turn();
          yield part.subarray(at, at + 400_000);
        }
      }
      yield closing;
    }
    await expectFiles(await sendForm(slowly()));
  });

  test('asked for long after it has come', async () => {
    await using held = await holdTicket(46);
    const answer = sendForm([
      field('operations', { query: two, variables: { first: input(0, 46), input: input(files.length) } }),
      field('map', mapped(files.length)),
      ...files.map((bytes, n) => file(n, bytes)),
      closing,
    ]);
    await held.untilWaitedFor();
    await held.letGo();
    await expectFiles(await answer);
  });

  test('beside files that are never asked for', async () => {
    const never =
      'mutation ($file: Upload!) { uploadFile(input: { file: $file }) @skip(if: true) { __typename } }';
    const unasked = sendForm([
      field('operations', { query: never, variables: { file: null } }),
      field('map', { unasked: ['variables.file'] }),
      file('unasked', randomBytes(500_000)),
      closing,
    ]);
    const asked = sendForm([
      field('operations', { query: one, variables: { input: input(files.length), more: null } }),
      field('map', { ...mapped(files.length), unasked: ['variables.more'] }),
      file('unasked', randomBytes(500_000)),
      ...files.map((bytes, n) => file(n, bytes)),
      closing,
    ]);
    expect(await unasked).toEqual({ data: {} });
    await expectFiles(await asked);
  });

  const base64 = files.map((bytes) => bytes.toString('base64'));
  const json = JSON.stringify({
    TicketId: 47,
    Message: 'With files',
    Attachments: base64.map((Data, n) => ({ FileName: `${n}.bin`, Data })),
  });
  const data = 'http://schemas.datacontract.org/2004/07/RequestorApiDataStructures';
  const xml = `<NewMessagePost xmlns="${data}.Posts"><Attachments xmlns:d="${data}.DataStructures">${base64
    .map(
      (Data, n) =>
        `<d:NewAttachment><d:Data>${Data}</d:Data><d:FileName>${n}.bin</d:FileName></d:NewAttachment>`,
    )
    .join('')}</Attachments><Message>With files</Message><TicketId>47</TicketId></NewMessagePost>`;

  const formats: [format: string, type: string, body: string][] = [
    ['XML', 'application/xml', xml],
    ['JSON', 'application/json', json],
  ];
  test.each(sampled(formats, 2))('in the old endpoint’s %s', async (_format, type, body) => {
    const { TicketMessageId } = await send('/api/Tickets/NewMessage', `${type}; charset=utf-8`, [
      Buffer.from(body.slice(0, 100_000)),
      Buffer.from(body.slice(100_000)),
    ]);
    const stored = await sql`
      select encode(sha256, 'hex') as sha256 from attachments where message_id = ${TicketMessageId}
      order by position`;
    expect(stored.map((row) => row.sha256)).toEqual(digests);
  });

  /** Locks a ticket from outside until it is let go. */
  async function holdTicket(ticketId: number) {
    const [locked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const transaction = sql.begin(async (tx) => {
      await tx`select from tickets where id = ${ticketId} for update`;
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const letGo = async () => {
      release.resolve();
      await transaction;
    };
    return {
      letGo,
      untilWaitedFor: () =>
        expect
          .poll(
            async () =>
              (
                await sql`select from pg_stat_activity where datname = current_database()
                  and wait_event_type = 'Lock'`
              ).length,
          )
          .toBeGreaterThan(0),
      [Symbol.asyncDispose]: letGo,
    };
  }
});
