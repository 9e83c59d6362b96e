import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, watch } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type GatewayProcess, startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { forgetPeak, hasProcessStatus, memoryOf, openFilesOf } from '../../crash/support/process-status.ts';
import { openTcpDoor } from '../../crash/support/tcp-door.ts';
import { contents, type UploadRequest, upload } from '../../crash/support/upload.ts';
import { createTestDatabase } from '../../support/database.ts';
import { asOperator } from '../../support/gateway.ts';
import { soaking } from '../../support/soak.ts';

const run = promisify(execFile);
const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);
const MiB = 1024 * 1024;
/** A tenth of what production allows and is sent here, unless soaking: each byte is hashed and stored. */
const unit = soaking ? MiB : 100 * 1024;
/** Five of them held in memory would be more than is allowed. */
const uploadsAtOnce = 10;
const query = `mutation ($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) {
    __typename
    ... on AddTicketMessagePayload {
      ticketMessage { messageId attachments { fileName byteSize sha256 downloadUrl } }
    }
    ... on UserError { code path }
    ... on AttachmentTooLargeError { limitBytes }
  }
}`;

/** What an upload can leave behind: rows, files of the store and temporary files. */
interface Kept {
  readonly messages: number;
  readonly attachments: number;
  readonly blobs: number;
  readonly events: number;
  readonly files: number;
  readonly temporary: number;
}

/** A gateway in a process of its own, whose memory, descriptors and temporary files are nobody else's. */
describe('uploads', () => {
  const parts = new AsyncDisposableStack();
  let gateway: GatewayProcess;
  let sql: postgres.Sql;
  let blobs: string;
  let temporary: string;
  let before: Kept;

  beforeAll(async () => {
    const database = parts.use(await createTestDatabase('demo'));
    const door = parts.use(await openTcpDoor(database.connection));
    sql = database.asOwner(2);
    parts.defer(() => sql.end({ timeout: 5 }));
    const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
    parts.defer(() => rm(directory, { recursive: true, force: true }));
    blobs = join(directory, 'blobs');
    temporary = join(directory, 'tmp');
    await mkdir(temporary);
    await mkdir(blobs);
    const settings = {
      DATABASE_URL: door.urlOf(database.connection),
      DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
      SMTP_URL: 'smtp://127.0.0.1:9',
      BLOBS_URL: pathToFileURL(blobs).href,
      TMPDIR: temporary,
      ROLES: 'web',
      MAX_ATTACHMENT_BYTES: String(25 * unit),
      MAX_MESSAGE_ATTACHMENTS_BYTES: String(50 * unit),
    };
    gateway = parts.use(await startGatewayProcess(settings));
    // Signed in once: hashing a password takes memory too, and is not what is measured.
    await fetch(`${gateway.url}/graphql?query={viewer{login}}`, { headers: { authorization: asOperator } });
    before = await kept();
  });
  afterAll(() => parts.disposeAsync());

  const operationsFor = (count: number, body = 'With files') => ({
    query,
    variables: {
      input: {
        ticket: { reference: 'INC-000047' },
        body,
        attachments: Array.from({ length: count }, () => ({ file: null })),
      },
    },
  });
  const add = (options: Omit<UploadRequest, 'operations' | 'authorization'>) =>
    upload(gateway.url, {
      operations: operationsFor(options.files.length),
      authorization: asOperator,
      ...options,
    });

  const filesIn = (directory: string) =>
    readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
  async function kept(): Promise<Kept> {
    const [rows] = await sql<[Omit<Kept, 'files' | 'temporary'>]>`
      select (select count(*)::int from messages) as messages, (select count(*)::int
      from attachments) as attachments,
        (select count(*)::int from blobs) as blobs, (select count(*)::int from events) as events`;
    return { ...rows, files: filesIn(blobs), temporary: filesIn(temporary) };
  }
  async function expectNothingTemporary(): Promise<void> {
    const { files, blobs } = before;
    // A file that broke off or was refused is removed a moment after its answer.
    await expect
      .poll(async () => {
        before = await kept();
        return { besides: before.files - before.blobs, temporary: before.temporary };
      })
      .toEqual({ besides: files - blobs, temporary: 0 });
  }
  const expectNothingLeft = () => expect.poll(kept).toEqual(before);

  async function expectDownloads(attachments: { downloadUrl: string; sha256: string }[], sizes: number[]) {
    expect(attachments).toHaveLength(sizes.length);
    for (const [n, { downloadUrl, sha256 }] of attachments.entries()) {
      const response = await fetch(downloadUrl, { headers: { authorization: asOperator } });
      const received = createHash('sha256');
      for await (const chunk of response.body!) received.update(chunk);
      const sent = createHash('sha256');
      for (const piece of contents(sizes[n]!)) sent.update(piece);
      expect(received.digest('hex')).toBe(sha256);
      expect(sha256).toBe(sent.digest('hex'));
    }
  }

  test.runIf(hasProcessStatus && soaking)(
    `${uploadsAtOnce} uploads of 24 MiB at once cost less than 100 MB of memory`,
    async () => {
      const { resident } = memoryOf(gateway.pid);
      forgetPeak(gateway.pid);
      const uploads = await Promise.all(
        Array.from({ length: uploadsAtOnce }, (_, n) =>
          add({ files: [{ name: `file-${n}`, size: 24 * MiB }] }),
        ),
      );
      const grown = memoryOf(gateway.pid).peak - resident;
      process.stdout.write(
        `${uploadsAtOnce} uploads of 24 MiB: ${Math.round(grown / 1e5) / 10} MB above ` +
          `${Math.round(resident / 1e6)} MB\n`,
      );
      for (const { body } of uploads) {
        const [attachment] = body.data.addTicketMessage.ticketMessage.attachments;
        expect(attachment.byteSize).toBe(24 * MiB);
      }
      expect(grown).toBeLessThan(100e6);
      await expectNothingTemporary();
    },
  );

  test.skipIf(!hasCurl)(
    'two files by curl, a large one and a small one, come back as they were',
    async () => {
      const sizes = [20 * unit, 12_345];
      const [large, small] = [join(temporary, '..', 'large.bin'), join(temporary, '..', 'small.bin')];
      await writeFile(large, contents(sizes[0]!));
      await writeFile(small, contents(sizes[1]!));
      const { stdout } = await run('curl', [
        ...['--silent', '--show-error', '--header', `Authorization: ${asOperator}`, `${gateway.url}/graphql`],
        ...['--form', `operations=${JSON.stringify(operationsFor(2))}`],
        ...[
          '--form',
          'map={"0":["variables.input.attachments.0.file"],"1":["variables.input.attachments.1.file"]}',
        ],
        ...['--form', `0=@${large}`, '--form', `1=@${small}`],
      ]);
      const { ticketMessage } = JSON.parse(stdout).data.addTicketMessage;
      expect(ticketMessage.attachments).toMatchObject([
        { fileName: 'large.bin', byteSize: sizes[0] },
        { fileName: 'small.bin', byteSize: sizes[1] },
      ]);
      await expectDownloads(ticketMessage.attachments, sizes);
      await expectNothingTemporary();
    },
  );

  const refused = { __typename: 'AttachmentTooLargeError', code: 'ATTACHMENT_TOO_LARGE' };
  const each = { ...refused, limitBytes: 25 * unit, path: ['attachments', '0'] };
  const together = { ...refused, limitBytes: 50 * unit, path: ['attachments'] };

  test.each([
    ['a byte more than a file may have', [25 * unit + 1], each],
    ['a byte more than a file may have before another file', [25 * unit + 1, 24 * unit], each],
    ['eight times as much', [200 * unit], each],
    ['three files of almost as much', [24 * unit, 24 * unit, 24 * unit], together],
  ])('%s: refused by type, before the rest is read, and nothing is left', async (name, sizes, refusal) => {
    // With a length and without one; by turns, unless soaking.
    for (const chunked of soaking ? [false, true] : [name.length % 2 === 0]) {
      const files = sizes.map((size, n) => ({ name: `file-${n}`, size }));
      const enough = refusal === each ? 25 * unit : 50 * unit;
      // What is sent while the refusal is written would depend on how busy the machine is.
      const holdAt = enough + 2 * unit;
      const { status, body, sentBytes, totalBytes } = await add({ files, chunked, holdAt });
      process.stdout.write(
        `${name}${chunked ? ', chunked' : ''}: ${sentBytes} of ${totalBytes} bytes sent when refused\n`,
      );
      expect({ status, result: body.data?.addTicketMessage, errors: body.errors }).toEqual({
        status: 200,
        result: refusal,
      });
      expect(sentBytes).toBeLessThanOrEqual(holdAt);
      await expectNothingLeft();
    }
  });

  test('files may arrive in another order than in the input, and after a rejected one', async () => {
    const sizes = [24 * unit, 23 * unit];
    const files = sizes.map((size, n) => ({ name: `file-${n}`, size }));
    const reversed = await add({
      files,
      map: { 0: ['variables.input.attachments.1.file'], 1: ['variables.input.attachments.0.file'] },
    });
    const attachments = reversed.body.data.addTicketMessage.ticketMessage.attachments;
    await expectDownloads(attachments, sizes.toReversed());

    const input = (body: string) => ({
      ticket: { reference: 'INC-000047' },
      body,
      attachments: [{ file: null }],
    });
    const { status, body } = await upload(gateway.url, {
      operations: {
        query: `mutation ($large: AddTicketMessageInput!, $next: AddTicketMessageInput!) {
          large: addTicketMessage(input: $large) { __typename }
          next: addTicketMessage(input: $next) {
            __typename ... on AddTicketMessagePayload { ticketMessage { attachments { byteSize } } }
          }
        }`,
        variables: { large: input('Too large'), next: input('Behind it') },
      },
      authorization: asOperator,
      map: { 0: ['variables.large.attachments.0.file'], 1: ['variables.next.attachments.0.file'] },
      files: [
        { name: 'large', size: 50 * unit },
        { name: 'next', size: unit },
      ],
    });
    expect({ status, data: body.data }).toEqual({
      status: 200,
      data: {
        large: { __typename: 'AttachmentTooLargeError' },
        next: {
          __typename: 'AddTicketMessagePayload',
          ticketMessage: { attachments: [{ byteSize: unit }] },
        },
      },
    });
    await expectNothingTemporary();
  });

  test.each([0.01, 0.5, 0.99])(
    'an upload that is cut at %d of its bytes leaves nothing, nor an open file',
    async (cutAt) => {
      const files = [{ name: 'cut', size: 20 * unit }];
      const together = Array.from({ length: soaking ? 5 : 2 });
      const open = hasProcessStatus
        ? openFilesOf(gateway.pid).filter((path) => path.startsWith('/') && !path.startsWith('/dev'))
        : [];
      for (const chunked of [false, true]) {
        const cut = await Promise.all(together.map(() => add({ files, cutAt, chunked })));
        expect(cut.map(({ status }) => status)).toEqual(together.map(() => 0));
      }
      await expectNothingLeft();
      if (hasProcessStatus)
        expect(
          openFilesOf(gateway.pid).filter((path) => path.startsWith('/') && !path.startsWith('/dev')),
        ).toEqual(open);
    },
  );

  test('a file that never comes ends its own request and nothing else', async () => {
    const missing = [
      // Cut while the first of two is on its way.
      add({
        files: [
          { name: 'first', size: 20 * unit },
          { name: 'second', size: unit },
        ],
        cutAt: 0.3,
      }),
      // Refused for the first, and closed before the second has begun.
      add({
        files: [
          { name: 'first', size: 60 * unit },
          { name: 'second', size: unit },
        ],
      }),
      // Named by the map, and not sent.
      upload(gateway.url, {
        operations: operationsFor(2),
        authorization: asOperator,
        map: { 0: ['variables.input.attachments.0.file'], 1: ['variables.input.attachments.1.file'] },
        files: [{ name: 'only', size: 1000 }],
      }),
    ];
    const answers = await Promise.all(missing);
    expect(answers.map(({ status }) => status)).toEqual([0, 200, 400]);
    expect(answers[2]!.body.errors).toMatchObject([{ message: 'File missing in the request.' }]);
    const alive = await fetch(`${gateway.url}/graphql?query={viewer{login}}`, {
      headers: { authorization: asOperator },
    });
    expect(alive.status).toBe(200);
    await expectNothingTemporary();
  });

  test('files that nobody asks for are drained, again and again, and no descriptor is left', async () => {
    const open = () => (hasProcessStatus ? openFilesOf(gateway.pid).length : 0);
    const unread: Omit<UploadRequest, 'files'>[] = [
      // Refused before a file is looked at.
      { operations: operationsFor(1, ' ') },
      // Sent, and asked for by nothing.
      {
        operations: { query: 'query ($file: Upload) { viewer { login } }', variables: { file: null } },
        map: { 0: ['variables.file'] },
      },
      // Not even a document.
      { operations: { query: '{', variables: { file: null } }, map: { 0: ['variables.file'] } },
    ];
    const once = async (n: number) => {
      const { status } = await upload(gateway.url, {
        ...unread[n % 3]!,
        authorization: asOperator,
        files: [{ name: 'unread', size: 100_000 }],
      });
      expect([200, 400]).toContain(status);
    };
    await Promise.all(Array.from({ length: 20 }, (_, n) => once(n)));
    await expectNothingLeft();
    const atFirst = open();
    // A thousand times when soaking.
    for (let round = 0; round < (soaking ? 50 : 2); round += 1)
      await Promise.all(Array.from({ length: 20 }, (_, n) => once(round + n)));
    await expectNothingLeft();
    await expect.poll(() => open() - atFirst).toBeLessThan(10);
  });

  test('a stranger’s files are never stored: UNAUTHENTICATED comes while they are being sent', async () => {
    const touched: string[] = [];
    await mkdir(join(blobs, 'arriving'), { recursive: true });
    // Each file arrives there first. The folders of stored files change when those of earlier tests go.
    const watchers = [join(blobs, 'arriving'), temporary].map((directory) =>
      watch(directory, (_event, name) => void touched.push(join(directory, String(name)))),
    );
    try {
      for (const [size, chunked] of [
        [1000, false],
        [24 * MiB, false],
        [200_000_000, true],
      ] as const) {
        const files = [{ name: 'strange', size }];
        const { status, body, sentBytes, totalBytes } = await upload(gateway.url, {
          operations: operationsFor(1),
          files,
          chunked,
        });
        process.stdout.write(`unauthenticated: ${sentBytes} of ${totalBytes} bytes sent when refused\n`);
        expect({ status, result: body.data?.addTicketMessage }).toEqual({
          status: 200,
          result: { __typename: 'UnauthenticatedError', code: 'UNAUTHENTICATED', path: [] },
        });
        // How much is on its way by then, and read to be thrown away, is the network's matter.
        if (size > 100 * MiB) expect(sentBytes).toBeLessThan(64 * MiB);
      }
    } finally {
      for (const watcher of watchers) watcher.close();
    }
    expect(touched).toEqual([]);
    await expectNothingLeft();
  });
});
