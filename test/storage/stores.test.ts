import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  BlobMissing,
  BlobOffset,
  type BlobStore,
  BlobTooLarge,
  newBlobKey,
} from '../../src/storage/blob-store.ts';
import { readAll } from '../support/servers/read-all.ts';
import { sampled, soaking } from '../support/soak.ts';
import { all, keysOf, smallPart as part, type StoreWorld, storeWorlds } from './stores.ts';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest();
const from = (...pieces: Buffer[]) => Readable.from(pieces);

describe.each(Object.keys(storeWorlds))('%s', (kind) => {
  let world: StoreWorld;
  let store: BlobStore;
  beforeEach(async () => {
    world = await storeWorlds[kind]!();
    store = world.store;
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const read = async (key: string, of = store) => readAll(await of.open(key));

  test.each(sampled([0, 4096, part + 1, 1, part / 2 + 1, part, 3 * part - 3], 2))(
    '%i bytes are read back as they were put, under a key of their own',
    async (size) => {
      const bytes = randomBytes(size);
      const stored = await store.put(from(bytes.subarray(0, 7), bytes.subarray(7)), size);
      expect(stored).toEqual({
        key: expect.stringMatching(/^[0-9a-f]{40}$/),
        byteSize: size,
        sha256: sha256(bytes),
      });
      expect((await read(stored.key)).equals(bytes)).toBe(true);
      expect((await read(stored.key, world.another())).equals(bytes)).toBe(true);
      expect(await keysOf(store)).toEqual([stored.key]);
      expect(await world.names()).toHaveLength(1);
    },
  );

  test('a part of a blob is read from its first byte to its last', async () => {
    const bytes = randomBytes(300_001);
    const { key } = await store.put(from(bytes), bytes.length);
    expect(await readAll(await store.open(key, { start: 5, end: 9 }))).toEqual(bytes.subarray(5, 10));
    const end = bytes.length - 1;
    expect(await readAll(await store.open(key, { start: end, end }))).toEqual(bytes.subarray(end));
  });

  test('put accepts any async iterable', async () => {
    async function* pieces() {
      for (let n = 0; n < 300; n++) yield Buffer.alloc(1000, n);
    }
    const stored = await store.put(pieces(), 300_000);
    expect(sha256(await read(stored.key))).toEqual(stored.sha256);
    expect(stored.byteSize).toBe(300_000);
  });

  test.each([
    [5999, 1000],
    [2 * part + 7, 2048],
  ])(
    'one byte more than %i is refused at once: the rest is not read, and nothing is left',
    async (limit, piece) => {
      let read = 0;
      const source = Readable.from(
        (async function* () {
          for (; read < 1000; read++) yield Buffer.alloc(piece);
        })(),
      );
      const error = await store.put(source, limit).catch((e) => e);
      expect(error).toBeInstanceOf(BlobTooLarge);
      expect(error.limitBytes).toBe(limit);
      expect(read).toBeLessThan(limit / piece + 100);
      expect(source.destroyed).toBe(true);
      expect(await world.names()).toEqual([]);
    },
  );

  test.each(sampled([0, 50_000, part + 9, 3 * part], 2))(
    'a source that fails after %i bytes leaves nothing, and put rejects with its error',
    async (size) => {
      const source = new PassThrough({ highWaterMark: 20 * part });
      const put = store.put(source, 20 * part).catch((e) => e);
      if (size > 0) source.write(Buffer.alloc(size));
      setImmediate(() => source.destroy(new Error('the caller went away')));
      expect((await put).message).toBe('the caller went away');
      // What a busy machine does not clear within two seconds is cleared behind the answer.
      await expect.poll(() => world.names()).toEqual([]);
      const { key } = await store.put(from(Buffer.from('next')), 10);
      expect((await read(key)).toString()).toBe('next');
    },
  );

  test('a source that has already failed is rejected, and nothing is stored', async () => {
    const source = new PassThrough();
    source.on('error', () => {});
    source.destroy(new Error('gone'));
    await expect(store.put(source, 10)).rejects.toThrow();
    expect(await world.names()).toEqual([]);
  });

  test('a stream that was read from before is rejected, as its beginning would be lost', async () => {
    const begun = from(Buffer.from('abc'), Buffer.from('def'));
    await once(begun, 'readable');
    begun.read();
    await expect(store.put(begun, 10)).rejects.toThrow('already been read from');
    expect(begun.destroyed).toBe(true);
    const over = from(Buffer.from('abc'));
    await readAll(over);
    await expect(store.put(over, 10)).rejects.toThrow('already been read from');
    expect(await world.names()).toEqual([]);
  });

  test('a reader who goes away, before the first byte or in the middle, leaves nothing open', async () => {
    const { key } = await store.put(from(randomBytes(3_000_000)), 3_000_000);
    for (let n = 0; n < (soaking ? 200 : 20); n++) {
      const stream = await store.open(key);
      if (n % 2 === 0) await once(stream, 'readable');
      stream.destroy();
    }
    expect((await read(key)).length).toBe(3_000_000);
  });

  test('a key never names a file outside the blobs', async () => {
    for (const key of ['0'.repeat(40), '../../etc/passwd', '', `../${'0'.repeat(40)}`, 'identity']) {
      await expect(store.open(key)).rejects.toBeInstanceOf(BlobMissing);
      await expect(store.sizeOf(key)).rejects.toBeInstanceOf(BlobMissing);
      await expect(store.finish(key)).rejects.toBeInstanceOf(BlobMissing);
      await store.remove(key);
      await store.setAside(key);
    }
  });

  test('a removed blob is gone, and removing it again does nothing', async () => {
    const { key } = await store.put(from(Buffer.alloc(9)), 9);
    await store.remove(key);
    await store.remove(key);
    await expect(store.open(key)).rejects.toBeInstanceOf(BlobMissing);
    expect(await world.names()).toEqual([]);
  });

  test('keys are listed by range, with their age', async () => {
    const began = Date.now() - 2000;
    const keys = await Promise.all(
      Array.from({ length: 20 }, async () => (await store.put(from(Buffer.alloc(9)), 9)).key),
    );
    const unfinished = await store.create();
    keys.push(unfinished);
    keys.sort();
    expect(await keysOf(store)).toEqual(keys);
    for await (const { at, finished, key } of store.list({ from: '0', to: 'g' })) {
      expect(at.getTime()).toBeGreaterThan(began);
      expect(at.getTime()).toBeLessThan(Date.now() + 2000);
      expect(finished).toBe(key !== unfinished);
    }
    const ends = [keys[3]!, keys[9]!, '8', '8f', 'f', 'ffg'];
    const ranges = ends.flatMap((a) => ends.map((b) => [a, b] as const));
    for (const [a, b] of sampled(ranges, 5))
      expect(await keysOf(store, { from: a, to: b })).toEqual(keys.filter((key) => key >= a && key < b));
  });

  test('a store that was never written to lists nothing, and looking does not create it', async () => {
    expect(await keysOf(world.another())).toEqual([]);
    expect(await all(store.listAside())).toEqual([]);
    expect(await store.identity()).toBeUndefined();
    expect(await world.names()).toEqual([]);
  });

  describe('a blob that arrives in several requests', () => {
    const append = (key: string, bytes: Buffer, offset: number, of = store) =>
      of.append(key, from(bytes), { offset, maxBytes: 100 * part });

    test.each([[[5]], [[0, 5, 0]], [[1, 2, 3]], [[part + 9, 1, part, 2 * part + 1]], [[part, part]]])(
      'pieces of %j bytes become one',
      async (sizes) => {
        const bytes = randomBytes(sizes.reduce((a, b) => a + b, 0));
        const key = await store.create();
        let offset = 0;
        for (const size of sizes) {
          await expect(store.open(key)).rejects.toBeInstanceOf(BlobMissing);
          const durable = await append(key, bytes.subarray(offset, offset + size), offset);
          offset += size;
          expect(durable).toBe(offset);
          expect(await store.sizeOf(key)).toBe(offset);
          expect(await world.another().sizeOf(key)).toBe(offset);
        }
        expect(await store.finish(key)).toEqual({ key, byteSize: bytes.length, sha256: sha256(bytes) });
        expect((await read(key)).equals(bytes)).toBe(true);
        await expect(store.sizeOf(key)).rejects.toBeInstanceOf(BlobMissing);
        expect(await world.names()).toHaveLength(1);
      },
    );

    test('each request may reach another process, which reads back what it has not seen', async () => {
      const bytes = randomBytes(3 * part - 7);
      const key = await store.create();
      let offset = 0;
      for (const end of [1, part + 9, part + 10, bytes.length]) {
        offset = await append(key, bytes.subarray(offset, end), offset, world.another());
        expect(offset).toBe(end);
      }
      const stored = await world.another().finish(key);
      expect(stored).toEqual({ key, byteSize: bytes.length, sha256: sha256(bytes) });
      expect((await read(key)).equals(bytes)).toBe(true);
    });

    test('a process that saw only the beginning and the end computes the whole digest', async () => {
      const key = await store.create();
      await append(key, Buffer.from('ab'), 0);
      await append(key, Buffer.from('cd'), 2, world.another());
      await append(key, Buffer.from('ef'), 4);
      expect((await store.finish(key)).sha256).toEqual(sha256(Buffer.from('abcdef')));
    });

    test('finishing twice gives the same result, in another process as well', async () => {
      for (const size of [3, part + 9]) {
        const bytes = randomBytes(size);
        const key = await store.create();
        await append(key, bytes, 0);
        const stored = { key, byteSize: size, sha256: sha256(bytes) };
        expect(await store.finish(key)).toEqual(stored);
        expect(await store.finish(key)).toEqual(stored);
        expect(await world.another().finish(key)).toEqual(stored);
        expect((await read(key)).equals(bytes)).toBe(true);
      }
    });

    test('no request at all makes an empty blob', async () => {
      const key = await store.create();
      expect(await store.sizeOf(key)).toBe(0);
      expect(await store.finish(key)).toEqual({ key, byteSize: 0, sha256: sha256(Buffer.alloc(0)) });
      expect(await read(key)).toHaveLength(0);
    });

    test.each(sampled([3, 50_000, 2 * part + 5, part + 9], 2))(
      'of a request that breaks off after %i bytes, what had arrived is kept',
      async (size) => {
        const bytes = randomBytes(size + 10);
        const key = await store.create();
        const source = new PassThrough({ highWaterMark: 20 * part });
        const appending = store.append(key, source, { offset: 0, maxBytes: 100 * part });
        source.write(bytes.subarray(0, size));
        // Once it has been taken up, the line is cut.
        setImmediate(function cut() {
          if (source.readableLength > 0) setImmediate(cut);
          else source.destroy(new Error('cut'));
        });
        expect(await appending).toBe(size);
        expect(await store.sizeOf(key)).toBe(size);
        await append(key, bytes.subarray(size), size);
        expect((await store.finish(key)).sha256).toEqual(sha256(bytes));
        expect((await read(key)).equals(bytes)).toBe(true);
      },
    );

    test('a request at another offset than the end is refused, and changes nothing', async () => {
      const key = await store.create();
      await append(key, Buffer.from('abc'), 0);
      for (const offset of [0, 2, 4, 2 * part]) {
        const source = from(Buffer.from('xyz'));
        const error = await store.append(key, source, { offset, maxBytes: 100 }).catch((e) => e);
        expect(error).toBeInstanceOf(BlobOffset);
        expect(error.byteSize).toBe(3);
        expect(source.destroyed).toBe(true);
      }
      await append(key, Buffer.from('def'), 3);
      await store.finish(key);
      expect((await read(key)).toString()).toBe('abcdef');
    });

    test.each([20, 200_000])(
      'one byte more than %i, counted over all requests, is refused: what was durable before stays',
      async (limit) => {
        const key = await store.create();
        await append(key, Buffer.alloc(10, 1), 0);
        const source = from(...Array.from({ length: 20 }, () => Buffer.alloc(limit / 10)));
        const error = await store.append(key, source, { offset: 10, maxBytes: limit }).catch((e) => e);
        expect(error).toBeInstanceOf(BlobTooLarge);
        expect(source.destroyed).toBe(true);
        expect(await store.sizeOf(key)).toBe(10);
        await store.append(key, from(Buffer.alloc(limit - 10, 2)), { offset: 10, maxBytes: limit });
        const stored = await store.finish(key);
        const whole = Buffer.concat([Buffer.alloc(10, 1), Buffer.alloc(limit - 10, 2)]);
        expect(stored).toEqual({ key, byteSize: limit, sha256: sha256(whole) });
        expect((await read(key)).equals(whole)).toBe(true);
      },
    );

    test('a new request ends one that still hangs, and continues after its bytes', async () => {
      const key = await store.create();
      const hanging = new PassThrough();
      const first = store.append(key, hanging, { offset: 0, maxBytes: 100 });
      hanging.write(Buffer.from('abc'));
      await expect.poll(() => hanging.readableLength).toBe(0);
      const size = await store.sizeOf(key);
      expect(await first).toBe(3);
      expect(size).toBe(3);
      const second = new PassThrough();
      const appending = store.append(key, second, { offset: 3, maxBytes: 100 });
      second.write(Buffer.from('def'));
      await expect.poll(() => second.readableLength).toBe(0);
      expect(await append(key, Buffer.from('ghi'), 6)).toBe(9);
      expect(await appending).toBe(6);
      await store.finish(key);
      expect((await read(key)).toString()).toBe('abcdefghi');
    });

    test('abandoning a blob ends what still arrives, and waits for it', async () => {
      const key = await store.create();
      const hanging = new PassThrough();
      const appended = store.append(key, hanging, { offset: 0, maxBytes: 100 });
      hanging.write(Buffer.from('abc'));
      await expect.poll(() => hanging.readableLength).toBe(0);
      await store.abandon(key);
      expect(await appended).toBe(3);
      await expect(store.sizeOf(key)).rejects.toBeInstanceOf(BlobMissing);
      expect(await world.names()).toEqual([]);
    });

    test('an abandoned blob is removed with all of its bytes', async () => {
      const key = await store.create();
      await append(key, randomBytes(part + 9), 0);
      expect(await keysOf(store)).toEqual([key]);
      await store.remove(key);
      await expect(append(key, Buffer.from('x'), 0)).rejects.toBeInstanceOf(BlobMissing);
      await expect(store.finish(key)).rejects.toBeInstanceOf(BlobMissing);
      expect(await world.names()).toEqual([]);
    });
  });

  test('a blob that was set aside cannot be read, and is restored unchanged', async () => {
    const bytes = randomBytes(100_000);
    const { key } = await store.put(from(bytes), bytes.length);
    await store.setAside(key);
    await store.setAside(key);
    await expect(store.open(key)).rejects.toBeInstanceOf(BlobMissing);
    expect(await keysOf(store)).toEqual([]);
    const aside = await all(world.another().listAside());
    expect(aside).toEqual([{ key, day: new Date().toISOString().slice(0, 10) }]);
    await store.restore(aside[0]!);
    await store.restore(aside[0]!);
    expect((await read(key)).equals(bytes)).toBe(true);
    expect(await all(store.listAside())).toEqual([]);
    await store.setAside(key);
    await store.destroy(aside[0]!);
    await store.destroy(aside[0]!);
    expect(await world.names()).toEqual([]);
  });

  test('the identity is stored, and can be replaced', async () => {
    const id = '6f1e8d2e-5d2d-4f5d-9a39-0d8d1b7f7c11';
    await store.setIdentity({ id, generation: 0 });
    expect(await world.another().identity()).toEqual({ id, generation: 0 });
    await store.setIdentity({ id, generation: 7 });
    expect(await world.another().identity()).toEqual({ id, generation: 7 });
    expect(await keysOf(store)).toEqual([]);
  });

  test('a health check leaves nothing behind', async () => {
    await store.check();
    await Promise.all([store.check(), store.check()]);
    expect(await world.names()).toEqual([]);
    expect(await keysOf(store)).toEqual([]);
  });

  test('new keys are unique', () => {
    expect(new Set(Array.from({ length: 1000 }, newBlobKey)).size).toBe(1000);
  });
});
