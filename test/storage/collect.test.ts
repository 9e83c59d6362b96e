import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { eq } from 'drizzle-orm';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sqlState } from '../../src/database-faults.ts';
import {
  attachments,
  blobs,
  idempotencyKeys,
  messages,
  tickets,
  uploads,
  users,
} from '../../src/db/tables.ts';
import type { BlobStore, StoredBlob } from '../../src/storage/blob-store.ts';
import { collectGarbage } from '../../src/storage/collect.ts';
import { partAt } from '../../src/storage/collecting.ts';
import { createDiskStore } from '../../src/storage/disk-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { keysOf } from './stores.ts';

const hours = (n: number) => new Date(Date.now() - n * 3_600_000);
let directory: string;
let store: BlobStore;
let world: TestDatabase;
let messageId: number;
let userId: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'blobs-'));
  store = createDiskStore(directory);
  world = await createTestDatabase();
  const { desk } = world.database;
  const [user] = await desk
    .insert(users)
    .values({ login: 'jane', name: 'Jane', role: 'REQUESTER' })
    .returning();
  userId = user!.id;
  const [ticket] = await desk
    .insert(tickets)
    .values({ reference: 'INC-1', subject: 'S', requesterId: userId })
    .returning();
  const message = { ticketId: ticket!.id, authorId: userId, body: 'B', isMobileDevice: false };
  const [row] = await desk
    .insert(messages)
    .values({ ...message, format: 'TEXT', visibility: 'PUBLIC' })
    .returning();
  messageId = row!.id;
});
afterEach(async () => {
  await world[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const ages = async (key: string, at: Date) => utimes(join(directory, key.slice(0, 2), key), at, at);
const exists = (key: string) =>
  store.open(key).then(
    async (stream) => (await buffer(stream)).length > 0,
    () => false,
  );
const left = () => keysOf(store);
const bytes = () => store.put(Readable.from([Buffer.from('bytes')]), 100);

/** A blob that was put some hours ago, with its row unless said. */
async function blobOf(hoursAgo: number, { row = true } = {}): Promise<StoredBlob> {
  const blob = await bytes();
  await ages(blob.key, hours(hoursAgo));
  if (row) {
    const { key, byteSize, sha256 } = blob;
    await world.database.desk.insert(blobs).values({ key, byteSize, sha256, createdAt: hours(hoursAgo) });
  }
  return blob;
}

const attach = ({ key, byteSize, sha256 }: StoredBlob, position = 1) =>
  world.database.desk.insert(attachments).values({
    messageId,
    position,
    blobKey: key,
    byteSize,
    sha256,
    fileName: 'f',
    contentType: 'text/plain',
  });

const upload = ({ key }: StoredBlob, createdAt: Date) =>
  world.database.desk
    .insert(uploads)
    .values({ id: randomUUID(), userId, blobKey: key, fileName: 'f', contentType: 'text/plain', createdAt });

const collect = (database = world.database) => collectGarbage(database.desk, store, hours(6));

test('what an attachment or a living upload names stays; what nothing names goes, with its row', async () => {
  const attached = await blobOf(48);
  await attach(attached);
  const uploaded = await blobOf(20);
  await upload(uploaded, hours(20));
  const redacted = await blobOf(48);
  const stray = await blobOf(48, { row: false });
  expect(await collect()).toEqual({ idempotencyKeys: 0, uploads: 0, blobs: 1, keys: 1 });
  expect(await Promise.all([attached, uploaded, redacted, stray].map(({ key }) => exists(key)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect((await world.database.desk.select().from(blobs)).map(({ key }) => key).sort()).toEqual(
    [attached.key, uploaded.key].sort(),
  );
  expect(await collect()).toEqual({ idempotencyKeys: 0, uploads: 0, blobs: 0, keys: 0 });
});

test('an upload that nobody used expires, bytes and all; of one that was used the attachment stays', async () => {
  const unused = await blobOf(30);
  await upload(unused, hours(30));
  const used = await blobOf(30);
  await upload(used, hours(30));
  await attach(used);
  expect(await collect()).toEqual({ idempotencyKeys: 0, uploads: 2, blobs: 1, keys: 0 });
  expect(await exists(unused.key)).toBe(false);
  expect(await exists(used.key)).toBe(true);
});

test('what is young is left alone: an upload in flight, and bytes that wait for their commit', async () => {
  const source = new PassThrough();
  const arriving = store.put(source, 1e6);
  source.write('first half, ');
  const waiting = await blobOf(0, { row: false });
  const committed = await blobOf(0);
  expect(await collect()).toEqual({ idempotencyKeys: 0, uploads: 0, blobs: 0, keys: 0 });
  source.end('second half');
  const { key } = await arriving;
  expect((await buffer(await store.open(key))).toString()).toBe('first half, second half');
  expect(await exists(waiting.key)).toBe(true);
  expect(await exists(committed.key)).toBe(true);
});

test('a part is looked through at a time, by how keys begin; what expired goes at once, whatever its key', async () => {
  const strays: string[] = [];
  for (let i = 0; i < 40; i++) strays.push((await blobOf(48, { row: i % 2 === 0 })).key);
  const arriving = strays.pop()!;
  await mkdir(join(directory, 'arriving'));
  await rename(join(directory, arriving.slice(0, 2), arriving), join(directory, 'arriving', arriving));
  const expired = await blobOf(30);
  await upload(expired, hours(30));
  for (const part of '0123456789abcdef') {
    const before = await left();
    await collectGarbage(world.database.desk, store, hours(6), part);
    expect(await left()).toEqual(before.filter((key) => !key.startsWith(part) && key !== expired.key));
  }
  expect(await world.database.desk.$count(blobs)).toBe(0);
  expect(await left()).toEqual([]);
});

test('each part has its turn within four hours', () => {
  const began = Date.parse('2026-11-27T03:07:00Z');
  const turns = Array.from({ length: 16 }, (_, n) => partAt(began + n * 15 * 60_000));
  expect(turns.sort().join('')).toBe('0123456789abcdef');
});

test('idempotency keys are kept for 30 days, however many there are', async () => {
  const { desk } = world.database;
  const keyOf = (key: string, daysAgo: number) => ({
    ...{ userId, key, messageId, fingerprint: Buffer.alloc(32) },
    createdAt: hours(24 * daysAgo),
  });
  await desk
    .insert(idempotencyKeys)
    .values([
      ...Array.from({ length: 12_000 }, (_, i) => keyOf(`old ${i}`, 30.1)),
      keyOf('in its last hours', 29.9),
      keyOf('new', 0),
    ]);
  const all = await Promise.all([collect(), collect(), collect()]);
  expect(all.reduce((sum, { idempotencyKeys: count }) => sum + count, 0)).toBe(12_000);
  const left = await desk.select({ key: idempotencyKeys.key }).from(idempotencyKeys);
  expect(left.map(({ key }) => key).sort()).toEqual(['in its last hours', 'new']);
});

test('several processes collect at once: each thing goes once, and nothing fails', async () => {
  for (let i = 0; i < 30; i++) await blobOf(48, { row: i % 2 === 0 });
  const kept = await blobOf(48);
  await attach(kept);
  const all = await Promise.all([collect(), collect(), collect(), collect()]);
  expect(all.reduce((sum, { blobs: count }) => sum + count, 0)).toBe(15);
  expect(await exists(kept.key)).toBe(true);
  expect(await left()).toEqual([kept.key]);
});

test('a message that attaches an old upload while it is being collected either keeps its bytes or is refused', async () => {
  let refused = 0;
  for (let round = 1; round <= 30; round++) {
    const blob = await blobOf(48);
    const [attached] = await Promise.allSettled([attach(blob, round), collect()]);
    if (attached.status === 'fulfilled') {
      expect(await exists(blob.key), `round ${round}`).toBe(true);
      continue;
    }
    refused++;
    expect(sqlState(attached.reason)).toBe('23503');
    expect(await world.database.desk.$count(blobs, eq(blobs.key, blob.key))).toBe(0);
  }
  expect(refused).toBeLessThan(30);
});

test('a blob that is attached after it was found unused, and before its row is deleted, stays', async () => {
  const blob = await blobOf(48);
  const { raw } = world.database;
  await raw.begin(async (tx) => {
    await tx`insert into attachments (message_id, position, blob_key, file_name, content_type, byte_size, sha256)
      values (${messageId}, 1, ${blob.key}, 'f', 'text/plain', 5, ${blob.sha256})`;
    // The row is locked by the reference that is not committed yet: it is passed over.
    expect(await collect()).toEqual({ idempotencyKeys: 0, uploads: 0, blobs: 0, keys: 0 });
  });
  expect(await collect()).toEqual({ idempotencyKeys: 0, uploads: 0, blobs: 0, keys: 0 });
  expect(await exists(blob.key)).toBe(true);
});
