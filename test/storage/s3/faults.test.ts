import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blobs } from '../../../src/db/tables.ts';
import { BlobMissing, type BlobStore, everyKey, StoreUnavailable } from '../../../src/storage/blob-store.ts';
import { collectGarbage } from '../../../src/storage/garbage/collect.ts';
import { createS3Store } from '../../../src/storage/s3/store.ts';
import { readAll } from '../../support/servers/read-all.ts';
import type { S3Fault, S3Operation, S3Server } from '../../support/servers/s3-server.ts';
import { sampled } from '../../support/soak.ts';
import { createDeskFiles } from '../desk-files.ts';
import { all, keysOf, smallPart as part, type StoreWorld, storeWorlds } from '../stores.ts';

const MiB = 1024 * 1024;
// What hangs is waited for, so `npm test` has it at PutObject alone, and what stalls in silence.test.ts.
const faults: readonly S3Fault[] = [500, 503, 'cut-after', 'hang', 'cut', 403, 'cut-within'];

let world: StoreWorld;
let server: S3Server;
let store: BlobStore;
beforeEach(async () => {
  world = await storeWorlds.S3!();
  server = world.server!;
  store = world.store;
});
afterEach(() => world[Symbol.asyncDispose]());

const large = part + 50_000;
const bytes = randomBytes(large);
const sha256 = createHash('sha256').update(bytes).digest();
const put = (size = bytes.length) => store.put(Readable.from([bytes.subarray(0, size)]), bytes.length);
const read = async (key: string) => readAll(await store.open(key));

/** Gives a request up after a second, where S3 hangs: no answer of the tests' own server takes as long. */
const impatient = (attempts: number) =>
  createS3Store(
    {
      ...{ bucket: 'desk', prefix: 'files/', endpoint: server.endpoint, region: 'eu-central-1' },
      ...{ pathStyle: true, presign: false },
    },
    { answerWithinMs: 1000, bytesWithinMs: 1000, attempts, partBytes: part },
  );

/** Whatever a fault left, an hour later. */
async function sweep(): Promise<void> {
  for (const key of await keysOf(store)) await store.remove(key);
}

describe.each(sampled(faults, 4))('S3 that answers with %s', (fault) => {
  beforeEach(() => {
    if (fault === 'hang') store = impatient(1);
  });

  const steps: [S3Operation, number][] = [
    ['PutObject', 4096],
    ['CreateMultipartUpload', large],
    ['UploadPart', large],
    ['CompleteMultipartUpload', large],
  ];
  test.each(steps)(
    'at %s of a file of %i bytes: it is not reported as stored, and the next one is stored',
    async (step, size) => {
      server.fail(step, fault);
      const outcome = await put(size).catch((error) => error);
      // An object that is there, whose answer was cut, is found when its parts have gone.
      if (!(outcome instanceof StoreUnavailable)) {
        expect([fault, step]).toEqual([
          expect.stringMatching(/^cut-(after|within)$/),
          'CompleteMultipartUpload',
        ]);
        expect(outcome.sha256).toEqual(sha256);
        expect((await read(outcome.key)).equals(bytes)).toBe(true);
      }
      server.mend();
      await sweep();
      expect(await world.names()).toEqual([]);
      const { key } = await put(size);
      expect((await read(key)).length).toBe(size);
    },
  );

  test('once at each step: the request is retried, and the caller sees no error', async () => {
    if (fault === 403) return;
    if (fault === 'hang') store = impatient(2);
    for (const [step] of steps) server.fail(step, fault, 1);
    const { key } = await put();
    expect((await read(key)).equals(bytes)).toBe(true);
    expect((await read((await put(4096)).key)).length).toBe(4096);
    // A multipart upload whose id was lost on its way back waits for the sweep.
    expect((await all(store.list(everyKey))).filter(({ finished }) => finished)).toHaveLength(2);
  });

  test('at an append: durable bytes stay, and the upload continues from there', async () => {
    const key = await store.create();
    const append = (from: number, to: number) =>
      store.append(key, Readable.from([bytes.subarray(from, to)]), { offset: from, maxBytes: 100 * part });
    await append(0, 1000);
    for (const step of ['PutObject', 'CreateMultipartUpload', 'UploadPart'] as const) {
      server.fail(step, fault);
      await append(1000, large - 7).catch((error) => expect(error).toBeInstanceOf(StoreUnavailable));
      server.mend();
      const size = await store.sizeOf(key);
      expect([1000, large - 7]).toContain(size);
      if (size > 1000) break;
    }
    const size = await store.sizeOf(key);
    await append(size, bytes.length);
    server.fail('CompleteMultipartUpload', fault);
    await store.finish(key).catch((error) => expect(error).toBeInstanceOf(StoreUnavailable));
    server.mend();
    // Whoever got no answer asks again, unless it had been finished after all.
    const again = await store.finish(key).catch(() => undefined);
    if (again !== undefined) expect(again.sha256).toEqual(sha256);
    expect((await read(key)).equals(bytes)).toBe(true);
    expect(await world.names()).toEqual([`files/blobs/${key}`]);
  });

  test('to a reader: the bytes are complete, or the read fails', async () => {
    const { key } = await put(part);
    server.fail('GetObject', fault, 1);
    const once = await read(key).catch((error) => error);
    if (once instanceof Error)
      expect([[403, 'hang'], once]).toEqual([expect.arrayContaining([fault]), expect.any(StoreUnavailable)]);
    else expect(once.equals(bytes.subarray(0, part))).toBe(true);
    server.fail('GetObject', fault);
    await expect(read(key)).rejects.toBeInstanceOf(StoreUnavailable);
    server.mend();
    expect((await read(key)).equals(bytes.subarray(0, part))).toBe(true);
  });

  test('to a health check: the check says what is wrong', async () => {
    for (const step of ['PutObject', 'GetObject', 'DeleteObject'] as const) {
      server.fail(step, fault);
      const error = await store.check().catch((e) => e);
      expect(error, step).toBeInstanceOf(Error);
      expect(error).not.toBeInstanceOf(StoreUnavailable);
      server.mend();
    }
    await store.check();
  });
});

test('a request that S3 does not answer times out, and the next file is stored', async () => {
  store = impatient(1);
  server.fail('PutObject', 'hang');
  await expect(put(4096)).rejects.toBeInstanceOf(StoreUnavailable);
  server.mend();
  expect((await read((await put(4096)).key)).length).toBe(4096);
});

test('a file that is removed while it is read: its reader gets a fault of the store', async () => {
  const { key } = await put(part);
  server.fail('GetObject', 'cut-within', 1);
  const reading = await store.open(key);
  await store.remove(key);
  await expect(readAll(reading)).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(store.open(key)).rejects.toBeInstanceOf(BlobMissing);
});

test('a missing bucket is a fault of the store, not a missing blob', async () => {
  const elsewhere = createS3Store({
    ...{ bucket: 'other', prefix: '', endpoint: server.endpoint, region: 'eu-central-1' },
    ...{ pathStyle: true, presign: false },
  });
  await expect(elsewhere.open('0'.repeat(40))).rejects.toBeInstanceOf(StoreUnavailable);
  await expect(elsewhere.check()).rejects.toThrow('NoSuchBucket');
});

test('an upload holds a few parts in memory at most, however much faster its sender is than S3', async () => {
  await using large = await storeWorlds.S3!(MiB);
  const piece = 50_000;
  let ahead = 0;
  let most = 0;
  const taken = () => [...large.server!.bucket.uploads.values()].flatMap(({ parts }) => [...parts.values()]);
  const source = Readable.from(
    (async function* () {
      for (let n = 0; n < 128; n++) {
        ahead = n * piece - taken().reduce((sum, part) => sum + part.bytes.length, 0);
        most = Math.max(most, ahead);
        yield Buffer.alloc(piece, n);
      }
    })(),
  );
  await large.store.put(source, 40 * MiB);
  expect(most).toBeGreaterThan(MiB);
  expect(most).toBeLessThan(4.8 * MiB);
});

test('a multipart upload that a retry made superfluous is collected, and the blob stays', async () => {
  await using files = await createDeskFiles('S3');
  const { server: theirs } = files.place;
  theirs!.fail('CreateMultipartUpload', 'cut-after', 1);
  const blob = await files.store.put(Readable.from([bytes]), bytes.length);
  await files.world.database.desk.insert(blobs).values(blob);
  await files.attach(blob);
  expect(theirs!.bucket.uploads.size).toBe(1);
  const result = await collectGarbage(files.world.database.desk, files.store, new Date(Date.now() + 1000));
  expect(result).toMatchObject({ keys: 1, blobs: 0 });
  expect(theirs!.bucket.uploads.size).toBe(0);
  expect((await readAll(await files.store.open(blob.key))).equals(bytes)).toBe(true);
});

test('with `presign`, a download has a signed S3 URL; without it, it has none', async () => {
  const { key } = await put(1000);
  const url = await store.presign!(key, {
    ...{ expiresInSeconds: 60, contentType: 'image/png' },
    disposition: "attachment; filename*=UTF-8''%C5%99.png",
  });
  expect(Buffer.from(await (await fetch(url)).arrayBuffer())).toEqual(bytes.subarray(0, 1000));
  const { searchParams } = new URL(url);
  expect(searchParams.get('X-Amz-Expires')).toBe('60');
  expect(searchParams.get('response-content-type')).toBe('image/png');
  expect(searchParams.get('response-content-disposition')).toBe("attachment; filename*=UTF-8''%C5%99.png");
  expect(impatient(1).presign).toBeUndefined();
});
