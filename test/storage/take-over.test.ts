import { createHash, randomBytes } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type BlobStore, BlobTooLarge, newBlobKey, StoreUnavailable } from '../../src/storage/blob-store.ts';
import { readAll } from '../support/servers/read-all.ts';
import type { S3Operation } from '../support/servers/s3-server.ts';
import { keysOf, openS3, smallPart as part, type StoreWorld, storeWorlds } from './stores.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
const from = (...pieces: Buffer[]) => Readable.from(pieces);
const maxBytes = 100 * part;

describe.each(Object.keys(storeWorlds))(
  'an unfinished blob on %s that another process takes over',
  (kind) => {
    let world: StoreWorld;
    let store: BlobStore;
    /** The process that may only be asleep. */
    let sleeper: BlobStore;
    beforeEach(async () => {
      world = await storeWorlds[kind]!();
      store = world.store;
      sleeper = world.another();
    });
    afterEach(() => world[Symbol.asyncDispose]());

    test.each([0, 7, part, 3 * part + 9])('has its %i bytes, and goes on after them', async (size) => {
      const bytes = randomBytes(size + part + 5);
      const key = await sleeper.create();
      await sleeper.append(key, from(bytes.subarray(0, size)), { offset: 0, maxBytes });
      const copy = (await store.takeOver(key))!;
      expect(await store.sizeOf(copy)).toBe(size);
      await store.remove(key);
      await store.append(copy, from(bytes.subarray(size)), { offset: size, maxBytes });
      const stored = await store.finish(copy);
      expect(stored).toEqual({ key: copy, byteSize: bytes.length, sha256: sha256(bytes) });
      expect((await readAll(await store.open(copy))).equals(bytes)).toBe(true);
      expect(await world.names()).toHaveLength(1);
    });

    test.each(['goes on', 'sends too much', 'finishes', 'removes it'])(
      'is left alone by its old writer, who wakes up and %s',
      async (how) => {
        const bytes = randomBytes(3 * part + 9);
        const key = await sleeper.create();
        await sleeper.append(key, from(bytes.subarray(0, part + 9)), { offset: 0, maxBytes });
        const limit = how === 'sends too much' ? 2 * part : maxBytes;
        const source = new PassThrough({ highWaterMark: maxBytes });
        const asleep = sleeper.append(key, source, { offset: part + 9, maxBytes: limit }).catch((e) => e);
        source.write(randomBytes(20));
        await expect.poll(() => source.readableLength).toBe(0);

        const copy = (await store.takeOver(key))!;
        const offset = await store.sizeOf(copy);
        await store.append(copy, from(bytes.subarray(offset, 2 * part)), { offset, maxBytes });

        if (how === 'goes on' || how === 'sends too much') source.end(randomBytes(5 * part));
        else source.end();
        const outcome = await asleep;
        if (how === 'sends too much' && kind === 'disk') expect(outcome).toBeInstanceOf(BlobTooLarge);
        if (how === 'finishes') await sleeper.finish(key).catch(() => {});
        if (how === 'removes it') await sleeper.remove(key);

        expect(await store.sizeOf(copy)).toBe(2 * part);
        await store.append(copy, from(bytes.subarray(2 * part)), { offset: 2 * part, maxBytes });
        const { byteSize } = await store.finish(copy);
        expect(byteSize).toBe(bytes.length);
        const stored = await readAll(await store.open(copy));
        // What the old writer had written when it fell asleep may be among the bytes.
        expect(stored.subarray(0, part + 9).equals(bytes.subarray(0, part + 9))).toBe(true);
        expect(stored.subarray(offset).equals(bytes.subarray(offset))).toBe(true);
      },
    );

    test('is none when it is finished or missing', async () => {
      for (const size of [9, 2 * part + 9]) {
        const key = await sleeper.create();
        await sleeper.append(key, from(randomBytes(size)), { offset: 0, maxBytes });
        await sleeper.finish(key);
        expect(await store.takeOver(key)).toBeUndefined();
        expect(await keysOf(store, { from: key, to: `${key}g` })).toEqual([key]);
      }
      expect(await store.takeOver(newBlobKey())).toBeUndefined();
      expect(await store.takeOver('../../etc/passwd')).toBeUndefined();
    });
  },
);

test.each<S3Operation>(['CompleteMultipartUpload', 'HeadObject', 'GetObject', 'UploadPart', 'PutObject'])(
  'a blob on S3 whose taking over failed at %s is taken over by the next who tries',
  async (step) => {
    await using world = await openS3();
    const { store, server } = world;
    const bytes = randomBytes(3 * part + 9);
    const key = await store.create();
    await store.append(key, from(bytes), { offset: 0, maxBytes });
    for (const fault of ['cut', 'cut-after'] as const) {
      server!.fail(step, fault);
      const outcome = await store.takeOver(key).catch((error) => error);
      // What had been completed before its answer was lost is completed.
      if (typeof outcome === 'string') await store.remove(outcome);
      else expect(outcome).toBeInstanceOf(StoreUnavailable);
    }
    server!.mend();
    const copy = (await world.another().takeOver(key))!;
    await store.remove(key);
    expect(await store.finish(copy)).toMatchObject({ byteSize: bytes.length, sha256: sha256(bytes) });
    expect((await readAll(await store.open(copy))).equals(bytes)).toBe(true);
  },
);
