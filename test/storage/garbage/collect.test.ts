import { randomUUID } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { eq, sql } from 'drizzle-orm';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { blobs, idempotencyKeys, openUploads } from '../../../src/db/tables.ts';
import { errorCodeOf } from '../../../src/platform/database-faults.ts';
import type { BlobStore } from '../../../src/storage/blob-store.ts';
import { collectGarbage } from '../../../src/storage/garbage/collect.ts';
import { partAt } from '../../../src/storage/garbage/schedule.ts';
import { shareDatabase, type TestDatabase } from '../../support/database.ts';
import { readAll } from '../../support/servers/read-all.ts';
import { sampled, soaking, testOnce } from '../../support/soak.ts';
import { collectors, createDeskFiles, type DeskFiles, hours } from '../desk-files.ts';
import { all, keysOf, storeWorlds } from '../stores.ts';

const nothing = {
  ...{ idempotencyKeys: 0, auditEntries: 0, uploads: 0 },
  ...{ blobs: 0, keys: 0, restored: 0, destroyed: 0 },
};

test('each part has its turn within four hours', () => {
  const began = Date.parse('2026-11-27T03:07:00Z');
  const turns = Array.from({ length: 16 }, (_, n) => partAt(began + n * 15 * 60_000));
  expect(
    turns
      .map(({ from }) => from)
      .sort()
      .join(''),
  ).toBe('0123456789abcdef');
  for (const { from, to } of turns) {
    expect(`${from}${'0'.repeat(39)}` >= from && `${from}${'f'.repeat(39)}` < to).toBe(true);
    expect(
      from > '0' ? `${String.fromCharCode(from.charCodeAt(0) - 1)}${'f'.repeat(39)}` >= from : false,
    ).toBe(false);
  }
});

const database = shareDatabase(collectors);

describe.each(Object.keys(storeWorlds))('%s', (kind) => {
  let files: DeskFiles;
  let store: BlobStore;
  let world: TestDatabase;
  let { messageId, userId, blobOf, attach, upload } = {} as DeskFiles;
  beforeEach(async () => {
    files = await createDeskFiles(kind, database());
    ({ store, world, messageId, userId, blobOf, attach, upload } = files);
  });
  afterEach(() => files[Symbol.asyncDispose]());

  const exists = (key: string) =>
    store.open(key).then(
      async (stream) => (await readAll(stream)).length > 0,
      () => false,
    );
  const left = () => keysOf(store);
  const collect = (database = world.database) => collectGarbage(database.desk, store, hours(6));

  test('blobs of attachments and live uploads stay; unreferenced blobs go with their rows', async () => {
    const attached = await blobOf(48);
    await attach(attached);
    const uploaded = await blobOf(20);
    await upload(uploaded, hours(20));
    const redacted = await blobOf(48);
    const stray = await blobOf(48, { row: false });
    expect(await collect()).toEqual({ ...nothing, blobs: 1, keys: 1 });
    expect(await Promise.all([attached, uploaded, redacted, stray].map(({ key }) => exists(key)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect((await world.database.desk.select().from(blobs)).map(({ key }) => key).sort()).toEqual(
      [attached.key, uploaded.key].sort(),
    );
    expect(await collect()).toEqual(nothing);
  });

  testOnce(kind, 'S3')(
    'an unused upload expires with its bytes; a used one leaves the attachment',
    async () => {
      const unused = await blobOf(30);
      await upload(unused, hours(30));
      const used = await blobOf(30);
      await upload(used, hours(30));
      await attach(used);
      expect(await collect()).toEqual({ ...nothing, uploads: 2, blobs: 1 });
      expect(await exists(unused.key)).toBe(false);
      expect(await exists(used.key)).toBe(true);
    },
  );

  test('young files stay: an upload in flight, and bytes whose commit is still to come', async () => {
    const source = new PassThrough();
    const arriving = store.put(source, 1e6);
    source.write('first half, ');
    const waiting = await blobOf(0, { row: false });
    const committed = await blobOf(0);
    expect(await collect()).toEqual(nothing);
    source.end('second half');
    const { key } = await arriving;
    expect((await readAll(await store.open(key))).toString()).toBe('first half, second half');
    expect(await exists(waiting.key)).toBe(true);
    expect(await exists(committed.key)).toBe(true);
  });

  testOnce(kind, 'disk')(
    'one part of the keys is scanned at a time; expired uploads go, whatever their key',
    async () => {
      const strays: string[] = [];
      for (let i = 0; i < (soaking ? 40 : 20); i++) strays.push((await blobOf(48, { row: i % 2 === 0 })).key);
      const half = await store.create();
      await store.append(half, Readable.from([Buffer.alloc(9)]), { offset: 0, maxBytes: 9 });
      await files.place.age(half, hours(48));
      const expired = await blobOf(30);
      await upload(expired, hours(30));
      for (const part of sampled([...'0123456789abcdef'], 5)) {
        const before = await left();
        await collectGarbage(world.database.desk, store, hours(6), { range: { from: part, to: `${part}g` } });
        expect(await left()).toEqual(before.filter((key) => !key.startsWith(part) && key !== expired.key));
      }
      await collect();
      expect(await world.database.desk.$count(blobs)).toBe(0);
      expect(await left()).toEqual([]);
    },
  );

  testOnce(kind, 'disk')('idempotency keys are kept for 30 days, however many there are', async () => {
    const { desk } = world.database;
    await desk.execute(sql`
      insert into idempotency_keys (user_id, key, message_id, fingerprint, created_at)
      select ${userId}, key, ${messageId}, ${Buffer.alloc(32)}, now() - days * interval '1 day'
      from (
        select 'old ' || n as key, 30.1 as days from generate_series(1, 12000) as n
        union all values ('in its last hours', 29.9), ('new', 0)
      ) as keys`);
    const all = await Promise.all([collect(), collect(), collect()]);
    expect(all.reduce((sum, { idempotencyKeys: count }) => sum + count, 0)).toBe(12_000);
    const left = await desk.select({ key: idempotencyKeys.key }).from(idempotencyKeys);
    expect(left.map(({ key }) => key).sort()).toEqual(['in its last hours', 'new']);
  });

  testOnce(kind, 'S3')(
    'several processes collect at once: each file is removed once, and nothing fails',
    async () => {
      const rows = soaking ? 15 : 6;
      for (let i = 0; i < 2 * rows; i++) await blobOf(48, { row: i % 2 === 0 });
      const kept = await blobOf(48);
      await attach(kept);
      const all = await Promise.all([collect(), collect(), collect(), collect()]);
      expect(all.reduce((sum, { blobs: count }) => sum + count, 0)).toBe(rows);
      expect(await exists(kept.key)).toBe(true);
      expect(await left()).toEqual([kept.key]);
    },
  );

  testOnce(kind, 'disk')(
    'attaching an old upload during its collection keeps its bytes or is refused',
    async () => {
      let refused = 0;
      const rounds = soaking ? 30 : 4;
      for (let round = 1; round <= rounds; round++) {
        const blob = await blobOf(48);
        const [attached] = await Promise.allSettled([attach(blob, round), collect()]);
        if (attached.status === 'fulfilled') {
          expect(await exists(blob.key), `round ${round}`).toBe(true);
          continue;
        }
        refused++;
        expect(errorCodeOf(attached.reason)).toBe('23503');
        expect(await world.database.desk.$count(blobs, eq(blobs.key, blob.key))).toBe(0);
      }
      expect(refused).toBeLessThan(rounds);
    },
  );

  testOnce(kind, 'disk')(
    'a blob attached after it was found unused, but before its row is deleted, stays',
    async () => {
      const blob = await blobOf(48);
      const { raw } = world.database;
      await raw.begin(async (tx) => {
        await tx`insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size,
        sha256)
        values (${messageId}, 1, ${blob.key}, 'f', 'text/plain', 5, ${blob.sha256})`;
        // The row is locked by the reference that is not committed yet: it is passed over.
        expect(await collect()).toEqual(nothing);
      });
      expect(await collect()).toEqual(nothing);
      expect(await exists(blob.key)).toBe(true);
    },
  );

  test('an unfinished upload with a row keeps its bytes; an expired one goes with its row', async () => {
    const begin = async (createdAt: Date, leaseUntil: Date | null = null) => {
      const blobKey = await store.create();
      await store.append(blobKey, Readable.from([Buffer.alloc(9)]), { offset: 0, maxBytes: 9 });
      await files.place.age(blobKey, createdAt);
      const names = { fileName: 'f', contentType: 'text/plain' };
      await world.database.desk
        .insert(openUploads)
        .values({ id: randomUUID(), userId, blobKey, createdAt, leaseUntil, ...names });
      return blobKey;
    };
    await collect();
    const living = await begin(hours(24));
    const over = await begin(hours(26));
    const finished = await begin(hours(24));
    await store.finish(finished);
    await files.place.age(finished, hours(24));
    const beingWritten = await begin(hours(26), hours(-1));
    expect(await collect()).toEqual({ ...nothing, uploads: 1 });
    expect(await left()).toEqual([living, beingWritten, finished].sort());
    expect(await store.sizeOf(living)).toBe(9);
    const rows = await world.database.desk.select({ key: openUploads.blobKey }).from(openUploads);
    expect(rows.map(({ key }) => key).sort()).toEqual([living, beingWritten, finished].sort());
    expect(await all(store.listAside())).toEqual([]);
    expect(over).not.toBe(living);
  });

  test('collected files are set aside, and destroyed a week later', async () => {
    const redacted = await blobOf(48);
    const stray = await blobOf(48, { row: false });
    await collect();
    const aside = await all(store.listAside());
    expect(aside.map(({ key }) => key).sort()).toEqual([redacted.key, stray.key].sort());
    const days = (n: number) =>
      hours(24 * n)
        .toISOString()
        .slice(0, 10);
    await files.place.moveAside(aside[0]!.day, days(7));
    expect(await collect()).toEqual(nothing);
    await files.place.moveAside(days(7), days(8));
    const elsewhere = { range: { from: 'g', to: 'g' } };
    expect(await collectGarbage(world.database.desk, store, hours(6), elsewhere)).toEqual(nothing);
    expect(await collect()).toEqual({ ...nothing, destroyed: 2 });
    expect(await all(store.listAside())).toEqual([]);
    expect(await left()).toEqual([]);
  });
});
