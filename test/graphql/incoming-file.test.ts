import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { processRequest, type Upload } from 'graphql-upload-ts';
import { expect, test } from 'vitest';
import { incomingFile } from '../../src/graphql/incoming-file.ts';
import { contents, upload } from '../crash/support/upload.ts';

const MiB = 1024 * 1024;
/** What lies in the sockets of both sides, at most. */
const onTheWay = 16 * MiB;

/** Sends one file to a server of its own that reads it as told. */
async function send(size: number, read: (file: Upload, arrived: () => number) => Promise<unknown>) {
  const server = createServer(async (req, res) => {
    let arrived = 0;
    req.on('data', (chunk: Buffer) => (arrived += chunk.length));
    const params = await processRequest<{ variables: { input: { attachments: { file: Upload }[] } } }>(
      req,
      res,
      { maxFileSize: size + 1 },
    );
    const answer = await read(params.variables.input.attachments[0]!.file, () => arrived);
    res.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await upload(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
      operations: { query: '{ __typename }', variables: { input: { attachments: [{ file: null }] } } },
      files: [{ name: 'file', size }],
    });
  } finally {
    server.close();
  }
}

test('a file that arrives faster than it is read is held back, and comes whole', async () => {
  const size = 60 * MiB;
  let ahead = 0;
  const { body } = await send(size, async (file, arrived) => {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of (await incomingFile(file)).open() as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      hash.update(chunk);
      ahead = Math.max(ahead, arrived() - bytes);
      await sleep(bytes < 4 * MiB ? 10 : 0);
    }
    return { bytes, sha256: hash.digest('hex') };
  });
  const sent = createHash('sha256');
  for (const piece of contents(size)) sent.update(piece);
  expect(body).toEqual({ bytes: size, sha256: sent.digest('hex') });
  expect(ahead).toBeGreaterThan(4 * MiB);
  expect(ahead).toBeLessThan(12 * MiB);
});

test('a reader that gives up slowly has not had the rest sent meanwhile, and what comes after it is not held', async () => {
  const size = 80 * MiB;
  const { body, sentBytes } = await send(size, async (file, arrived) => {
    const reader = (await incomingFile(file)).open();
    for await (const _chunk of reader) {
      await sleep(500);
      break;
    }
    const whenGivenUp = arrived();
    await expect.poll(arrived, { timeout: 5000 }).toBeGreaterThan(size);
    return { whenGivenUp, destroyed: reader.destroyed };
  });
  expect(body.destroyed).toBe(true);
  expect(body.whenGivenUp).toBeLessThan(8 * MiB + onTheWay);
  expect(sentBytes).toBeGreaterThan(size);
});
