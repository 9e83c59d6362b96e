import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, everyKey, StoreUnavailable } from '../../../src/storage/blob-store.ts';
import { createS3Store } from '../../../src/storage/s3/store.ts';
import { readAll } from '../../support/servers/read-all.ts';
import type { S3Operation, S3Server } from '../../support/servers/s3-server.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { all, smallPart as part, type StoreWorld, storeWorlds } from '../stores.ts';

/* S3 that begins an answer and does not end it, and readers that keep its answers waiting. */

let world: StoreWorld;
let server: S3Server;
let store: BlobStore;
beforeEach(async () => {
  world = await storeWorlds.S3!();
  server = world.server!;
  store = createS3Store(
    {
      ...{ bucket: 'desk', prefix: 'files/', endpoint: server.endpoint, region: 'eu-central-1' },
      ...{ pathStyle: true, presign: false },
    },
    { answerWithinMs: 300, bytesWithinMs: 300, attempts: 1, partBytes: part },
  );
});
afterEach(() => world[Symbol.asyncDispose]());

const bytes = randomBytes(part + 50_000);
const put = (size = bytes.length) =>
  store.put(Readable.from([bytes.subarray(0, size)], { objectMode: false }), bytes.length);
const read = async (key: string) => readAll(await store.open(key));
/** Stores and reads with as much time as a busy machine takes. */
const stored = (size = bytes.length) =>
  world.store.put(Readable.from([bytes.subarray(0, size)], { objectMode: false }), bytes.length);
const readAgain = async (key: string) => readAll(await world.store.open(key));

// An answer without end costs what a machine can send in 300 ms.
const every = { stall: 3, trickle: 3, endless: 6 };
describe.each(['stall', 'trickle', 'endless'] as const)('S3 whose answers %s', (fault) => {
  const steps: [S3Operation, (key: string, unfinished: string) => Promise<unknown>][] = [
    ['PutObject', () => put(4096)],
    ['CreateMultipartUpload', () => put()],
    ['UploadPart', () => put()],
    ['CompleteMultipartUpload', () => put()],
    ['DeleteObject', (key) => store.remove(key)],
    ['CopyObject', (key) => store.setAside(key)],
    ['ListObjectsV2', () => all(store.list(everyKey))],
    ['ListMultipartUploads', () => all(store.list(everyKey))],
    ['GetObject', () => store.identity()],
    ['GetObject', (_, unfinished) => store.sizeOf(unfinished)],
    ['PutObject', () => store.check()],
  ];

  test.each(sampled(steps, every[fault]))(
    '%s: the caller is told, and no connection stays open',
    async (step, call) => {
      const { key } = await stored(4096);
      const unfinished = await world.store.create();
      await world.store.setIdentity({ id: 'a', generation: 1 });
      server.fail(step, fault);
      await expect(call(key, unfinished)).rejects.toBeInstanceOf(Error);
      await expect.poll(server.connections).toBeLessThanOrEqual(2);
      server.mend();
      expect((await readAgain((await stored(4096)).key)).length).toBe(4096);
    },
  );
});

test.each(['stall', 'trickle'] as const)('bytes of a file that %s end with an error', async (fault) => {
  const { key } = await stored();
  server.fail('GetObject', fault);
  await expect(read(key)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect.poll(server.connections).toBeLessThanOrEqual(2);
  server.mend();
  expect((await readAgain(key)).equals(bytes)).toBe(true);
});

test.each<[S3Operation, number]>([
  ['PutObject', 4096],
  ['CreateMultipartUpload', bytes.length],
  ['UploadPart', bytes.length],
  ['CompleteMultipartUpload', bytes.length],
])('a proxy that answers %s with a page of its own has stored nothing', async (step, size) => {
  server.fail(step, 'page');
  await expect(put(size)).rejects.toBeInstanceOf(StoreUnavailable);
});

test('a page of a proxy is no file, no size and no copy of a file that may be removed then', async () => {
  const { key } = await stored(4096);
  for (const step of ['GetObject', 'HeadObject', 'CopyObject'] as const) server.fail(step, 'page');
  for (const call of [read, store.byteSizeOf, store.setAside])
    await expect(call(key)).rejects.toBeInstanceOf(StoreUnavailable);
  server.mend();
  expect((await readAgain(key)).equals(bytes.subarray(0, 4096))).toBe(true);
});

test.each(['ListObjectsV2', 'ListMultipartUploads'] as const)(
  'a list of %s that has more and does not say where is an error, and not read for ever',
  async (step) => {
    await stored(4096);
    server.fail(step, 'no-next');
    await expect(all(store.list(everyKey))).rejects.toBeInstanceOf(StoreUnavailable);
  },
);

test('an answer that stalls is asked for again', async () => {
  await using other = await storeWorlds.S3!();
  const patient = createS3Store(
    {
      ...{ bucket: 'desk', prefix: 'files/', endpoint: other.server!.endpoint, region: 'eu-central-1' },
      ...{ pathStyle: true, presign: false },
    },
    { answerWithinMs: 3000, attempts: 2, partBytes: part },
  );
  other.server!.fail('PutObject', 'stall', 1);
  const { key } = await patient.put(Readable.from([bytes.subarray(0, 10)]), 10);
  expect((await readAll(await patient.open(key))).equals(bytes.subarray(0, 10))).toBe(true);
});

test('a process that stops waits no longer for a store that says nothing', async () => {
  const { key } = await stored();
  const { endpoint } = server;
  const place = { bucket: 'desk', prefix: 'files/', endpoint, region: 'eu-central-1', pathStyle: true };
  // Without an end, these waits last longer than this test may.
  const patient = { answerWithinMs: 3_600_000, bytesWithinMs: 3_600_000, partBytes: part };
  const silent = createS3Store({ ...place, presign: false }, patient);
  const reading = readAll(await silent.open(key));
  server.fail('GetObject', 'stall');
  const stalled = silent.open(key).then(readAll);
  server.fail('PutObject', 'hang');
  const before = server.calls.length;
  const putting = silent.put(Readable.from([bytes.subarray(0, 10)]), 10);
  const outcomes = Promise.allSettled([reading, stalled, putting]);
  await expect.poll(() => server.calls.slice(before)).toContain('PutObject');
  silent.waitAtMost!(200);
  expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
  // One that begins afterwards is no more patient.
  await expect(silent.put(Readable.from([bytes.subarray(0, 10)]), 10)).rejects.toBeInstanceOf(
    StoreUnavailable,
  );
  // An answer that breaks off is not silence: it is asked for again.
  server.mend();
  server.fail('GetObject', 'cut-within', 1);
  expect((await readAll(await silent.open(key))).equals(bytes)).toBe(true);
});

test('a machine that keeps its credentials to itself is a fault of the store, as a signer too', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  const { AWS_ACCESS_KEY_ID, ...others } = process.env;
  process.env = { ...others, AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/` };
  try {
    const unknown = createS3Store(
      { bucket: 'desk', prefix: '', endpoint: server.endpoint, region: 'x', pathStyle: true, presign: true },
      { answerWithinMs: 100, attempts: 1 },
    );
    const asked = { expiresInSeconds: 60, disposition: 'inline', contentType: 'image/png' };
    await expect(unknown.presign!('0'.repeat(40), asked)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(unknown.open('0'.repeat(40))).rejects.toBeInstanceOf(StoreUnavailable);
  } finally {
    process.env = { ...others, AWS_ACCESS_KEY_ID };
    silent.closeAllConnections();
    silent.close();
  }
});

test('a range that S3 ignores is a fault, and no reader gets other bytes', async () => {
  const { key } = await stored(4096);
  server.fail('GetObject', 'ignore-range');
  for (const start of [0, 7])
    await expect(world.store.open(key, { start, end: 9 })).rejects.toBeInstanceOf(StoreUnavailable);
  expect((await readAll(await world.store.open(key))).length).toBe(4096);
});

test('readers who do not read on keep nobody from storing and reading', async () => {
  const large = createS3Store(
    {
      ...{ bucket: 'desk', prefix: 'files/', endpoint: server.endpoint, region: 'eu-central-1' },
      ...{ pathStyle: true, presign: false },
    },
    { answerWithinMs: 10_000, attempts: 1, partBytes: 20 * 1024 * 1024 },
  );
  // More than a reader takes ahead.
  const size = (soaking ? 8 : 1) * 1024 * 1024;
  const { key } = await large.put(Readable.from([Buffer.alloc(size)]), size);
  const slow = await Promise.all(Array.from({ length: 60 }, () => large.open(key)));
  for (const one of slow) one.once('readable', () => {});
  await expect.poll(server.connections).toBeGreaterThanOrEqual(60);
  const stored = await large.put(Readable.from([bytes.subarray(0, 4096)]), 4096);
  expect((await readAll(await large.open(stored.key))).length).toBe(4096);
  for (const one of slow) one.destroy();
});
