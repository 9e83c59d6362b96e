import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { processRequest, type Upload } from 'graphql-upload-ts';
import { expect, test } from 'vitest';
import { incomingFile } from '../../src/graphql/incoming-file.ts';
import { hasProcessStatus } from '../crash/support/process-status.ts';
import { contents, upload } from '../crash/support/upload.ts';

const MiB = 1024 * 1024;
/** What may lie unread, and what is on its way within the process. */
const unread = 12 * MiB;

/** Sends files to a server of its own that reads them as told, and answers what that gives. */
async function send<T>(
  sizes: readonly number[],
  read: (files: Upload[], arrived: () => number) => Promise<T>,
): Promise<T> {
  const server = createServer(async (req, res) => {
    let arrived = 0;
    req.on('data', (chunk: Buffer) => (arrived += chunk.length));
    const { variables } = await processRequest<{
      variables: { input: { attachments: { file: Upload }[] } };
    }>(req, res, { maxFileSize: 200 * MiB });
    const files = variables.input.attachments.map(({ file }) => file);
    const answer = await read(files, () => arrived).catch((error) => ({ error: String(error) }));
    res.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { body } = await upload(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      operations: {
        query: '{ __typename }',
        variables: { input: { attachments: sizes.map(() => ({ file: null })) } },
      },
      files: sizes.map((size, n) => ({ name: `file-${n}`, size })),
    });
    return body;
  } finally {
    server.close();
  }
}

/** How much has arrived when no more does, a fifth of a second long. */
async function whenHeld(arrived: () => number): Promise<number> {
  for (;;) {
    const before = arrived();
    await sleep(200);
    if (arrived() === before) return before;
  }
}

async function digestOf(bytes: Iterable<Buffer> | Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bytes as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

test('a file that arrives faster than it is read is held back, and comes whole', async () => {
  const size = 60 * MiB;
  let ahead = 0;
  const digest = await send([size], async ([file], arrived) => {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of (await incomingFile(file!)).open() as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash.update(chunk);
      ahead = Math.max(ahead, arrived() - bytes);
      await sleep(bytes < 4 * MiB ? 10 : 0);
    }
    return hash.digest('hex');
  });
  expect(digest).toBe(await digestOf(contents(size)));
  expect(ahead).toBeGreaterThan(4 * MiB);
  expect(ahead).toBeLessThan(unread);
});

test('the rest of a file whose reader gave up is held for a while, as an answer is about to be given, and then let go', async () => {
  const size = 80 * MiB;
  const answer = await send([size], async ([file], arrived) => {
    const reader = (await incomingFile(file!)).open();
    for await (const _chunk of reader) break;
    const held = await whenHeld(arrived);
    await expect.poll(arrived, { timeout: 20_000 }).toBeGreaterThan(size);
    return { held, destroyed: reader.destroyed };
  });
  expect(answer).toEqual({ held: expect.any(Number), destroyed: true });
  expect(answer.held).toBeLessThan(unread);
});

test('a file that is not read yet is held while the one before it is seen to, and read from its start', async () => {
  const sizes = [MiB, 60 * MiB];
  const answer = await send(sizes, async ([first, second], arrived) => {
    const waiting = incomingFile(second!);
    await digestOf((await incomingFile(first!)).open());
    const held = await whenHeld(arrived);
    return { held, digest: await digestOf((await waiting).open()) };
  });
  expect(answer.digest).toBe(await digestOf(contents(sizes[1]!)));
  expect(answer.held).toBeLessThan(sizes[0]! + unread);
});

test('a file that comes before the one that its reader waits for is let through', async () => {
  const sizes = [60 * MiB, MiB];
  const digests = await send(sizes, async (files) => {
    const [first, second] = files.map(incomingFile);
    return [await digestOf((await second!).open()), await digestOf((await first!).open())];
  });
  expect(digests).toEqual([await digestOf(contents(sizes[1]!)), await digestOf(contents(sizes[0]!))]);
});

test.skipIf(!hasProcessStatus)(
  'a disk that takes no more ends the reading, before it was begun and after',
  async () => {
    const answer = await send([60 * MiB], async ([upload]) => {
      const file = await incomingFile(upload!);
      const { capacitor } = await upload!.promise;
      if (capacitor._fd === null) await once(capacitor, 'ready');
      const reading = digestOf(file.open()).catch(String);
      // From now on the temporary file can be read, and not be written.
      const writable = capacitor._fd!;
      capacitor._fd = openSync(readlinkSync(`/proc/self/fd/${writable}`), 'r');
      const answers = [await reading, await digestOf(file.open()).catch(String)];
      closeSync(writable);
      return answers;
    });
    expect(answer).toEqual([expect.stringContaining('EBADF'), expect.stringContaining('EBADF')]);
  },
);
