import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { attachments, blobStores, blobs } from '../../src/db/tables.ts';
import type { BlobStore } from '../../src/storage/blob-store.ts';
import { collectGarbage } from '../../src/storage/garbage/collect.ts';
import { adoptStore } from '../../src/storage/store-owner.ts';
import { createTestDatabase, shareDatabase } from '../support/database.ts';
import { sampled } from '../support/soak.ts';
import { collectors, createDeskFiles, type DeskFiles, hours } from './desk-files.ts';
import { all, keysOf, storeWorlds } from './stores.ts';

const database = shareDatabase(collectors);

// The rules are the same for each store; stores.test.ts shows that each keeps its identity.
describe.each(sampled(Object.keys(storeWorlds), 2))('%s', (kind) => {
  let files: DeskFiles;
  let store: BlobStore;
  beforeEach(async () => {
    files = await createDeskFiles(kind, database());
    store = files.store;
  });
  afterEach(() => files[Symbol.asyncDispose]());

  const desk = () => files.world.database.desk;
  const collect = (db = desk()) => collectGarbage(db, store, hours(1));
  /** Attachments of a desk that has been in use: all of them old, some of them garbage. */
  async function fill(count: number): Promise<string[]> {
    const kept: string[] = [];
    for (let position = 1; position <= count; position++) {
      const blob = await files.blobOf(48);
      await files.attach(blob, position);
      kept.push(blob.key);
    }
    return kept.sort();
  }
  const stray = async () => (await files.blobOf(48, { row: false })).key;
  /** Deletes what no gateway may. */
  async function forget(): Promise<void> {
    const owner = files.world.asOwner();
    await owner`delete from attachments`;
    await owner`delete from blobs`;
    await owner.end();
  }
  const generation = async () => (await desk().select().from(blobStores))[0]?.generation;

  test('a database without blobs and an empty store adopt each other', async () => {
    expect((await collect()).off).toBeUndefined();
    expect(await store.identity()).toEqual({ id: expect.any(String), generation: 1 });
    expect(await generation()).toBe(1);
    expect((await collect()).off).toBeUndefined();
    expect(await store.identity()).toMatchObject({ generation: 2 });
  });

  test('a database and a store from an older version that match are accepted and collected', async () => {
    const kept = await fill(5);
    const gone = await stray();
    expect(await collect()).toMatchObject({ keys: 1, blobs: 0 });
    expect(await keysOf(store)).toEqual(kept);
    expect((await all(store.listAside())).map(({ key }) => key)).toEqual([gone]);
  });

  test('an empty database changes nothing in a store with files, with or without an identity', async () => {
    const kept = await fill(5);
    await using empty = await createTestDatabase();
    const without = await collect(empty.database.desk);
    expect(without).toMatchObject({ off: expect.stringContaining('refers to none'), keys: 0, blobs: 0 });
    expect(await store.identity()).toBeUndefined();
    await collect();
    const identity = await store.identity();
    const withOne = await collect(empty.database.desk);
    expect(withOne).toMatchObject({ off: expect.stringContaining('no record of it'), keys: 0, blobs: 0 });
    expect(await store.identity()).toEqual(identity);
    expect(await keysOf(store)).toEqual(kept);
    expect(await all(store.listAside())).toEqual([]);
    expect((await collect()).off).toBeUndefined();
  });

  test('an empty database removes nothing from a store that holds only files set aside', async () => {
    await collect();
    await files.blobOf(48);
    await collect();
    expect(await all(store.listAside())).toHaveLength(1);
    await using empty = await createTestDatabase();
    expect(await collect(empty.database.desk)).toMatchObject({ off: expect.any(String), destroyed: 0 });
  });

  test.each([true, false])(
    'another desk’s database removes nothing; the store has an identity: %s',
    async (met) => {
      const kept = await fill(5);
      if (met) await collect();
      await using other = await createDeskFiles('disk');
      const foreign = await other.blobOf(48);
      await other.attach(foreign);
      const result = await collect(other.world.database.desk);
      expect(result).toMatchObject({ off: expect.any(String), keys: 0, blobs: 0 });
      // A database with its own store that is configured with this one by mistake.
      await collectGarbage(other.world.database.desk, other.store, hours(1));
      expect(await collect(other.world.database.desk)).toMatchObject({ off: expect.any(String), keys: 0 });
      expect(await keysOf(store)).toEqual(kept);
      expect(await all(store.listAside())).toEqual([]);
    },
  );

  test('an unreadable identity stops collection until an operator adopts the store', async () => {
    await fill(2);
    await collect();
    const gone = await stray();
    await files.place.spoilIdentity('{"id":');
    expect(await collect()).toMatchObject({ off: expect.stringContaining('cannot be read'), keys: 0 });
    expect(await keysOf(store)).toContain(gone);
    await adoptStore(desk(), store);
    expect(await collect()).toMatchObject({ keys: 1 });
  });

  test('one missing blob of five stops collection until an operator adopts the store', async () => {
    const [first, ...kept] = await fill(5);
    await store.remove(first!);
    expect((await collect()).off).toContain('1 of 5 sampled files');
    await adoptStore(desk(), store);
    expect((await collect()).off).toBeUndefined();
    expect(await keysOf(store)).toEqual(kept);
  });

  test('after an older backup nothing is removed until an operator adopts the store', async () => {
    await collect();
    const old = await generation();
    const kept = await fill(5);
    await collect();
    // As a dump from before has it: neither the messages since, nor the collections since.
    await forget();
    await desk().update(blobStores).set({ generation: old });
    const result = await collect();
    expect(result).toMatchObject({ off: expect.stringContaining('older backup'), keys: 0, blobs: 0 });
    expect(await keysOf(store)).toEqual(kept);
    await adoptStore(desk(), store);
    expect((await collect()).off).toBeUndefined();
    expect((await all(store.listAside())).map(({ key }) => key).sort()).toEqual(kept);
  });

  test('what was set aside under an older backup is restored with the current database', async () => {
    const kept = await fill(3);
    await collect();
    const rows = await desk().select().from(blobs);
    const links = await desk().select().from(attachments);
    await forget();
    await collect();
    expect(await keysOf(store)).toEqual([]);
    await desk().insert(blobs).values(rows);
    await desk().insert(attachments).values(links);
    expect(await collect()).toMatchObject({ restored: 3, destroyed: 0 });
    expect(await keysOf(store)).toEqual(kept);
  });

  test('nothing is removed when row-level security hides rows', async () => {
    await files[Symbol.asyncDispose]();
    files = await createDeskFiles(kind);
    store = files.store;
    const kept = await fill(5);
    await collect();
    const gone = await stray();
    const owner = files.world.asOwner();
    await owner`create or replace function sees_everything() returns boolean language sql stable as
      'select false'`;
    await using hidden = openDatabase(files.world.connection, { poolSize: 2 });
    const result = await collectGarbage(hidden.desk, store, hours(1));
    expect(result).toMatchObject({ off: 'row-level security hides 10 of 10 rows that name files', keys: 0 });
    expect(await keysOf(store)).toEqual([...kept, gone].sort());
    await owner`create or replace function sees_everything() returns boolean language sql stable
      as $$ select coalesce(current_setting('ticketwire.viewer_role', true), '') = 'DESK' $$`;
    await owner`create policy less on attachments as restrictive using (position > 1)`;
    expect((await collect()).off).toBe('row-level security hides 1 of 10 rows that name files');
    await owner`drop policy less on attachments`;
    for (const table of ['attachments', 'blobs', 'uploads', 'open_uploads']) {
      await owner`alter table ${owner(table)} owner to ticketwire_app`;
      await owner`alter table ${owner(table)} force row level security`;
    }
    await owner`alter function count_blob_rows owner to ticketwire_app`;
    await expect(collect()).rejects.toThrow();
    await owner.end();
    expect(await keysOf(store)).toEqual([...kept, gone].sort());
  });

  test('an unlikely share of garbage stops collection until an operator allows it', async () => {
    await fill(1);
    for (let n = 0; n < 51; n++) await stray();
    const before = await keysOf(store);
    const result = await collect();
    expect(result.unlikely).toBe('no row refers to 51 of 52 files from 0 to g, which is unlikely');
    expect(result).toMatchObject({ keys: 0, blobs: 0 });
    expect(await keysOf(store)).toEqual(before);
    const said = await collectGarbage(desk(), store, hours(1), { anyShare: true });
    expect(said).toMatchObject({ keys: 51 });
    expect(await keysOf(store)).toHaveLength(1);
  });

  test('rows without a message that are an unlikely share stop collection, too', async () => {
    await fill(1);
    for (let n = 0; n < 51; n++) await files.blobOf(48);
    expect((await collect()).unlikely).toContain('51 of 52 files');
    expect(await desk().$count(blobs)).toBe(52);
    expect(await keysOf(store)).toHaveLength(52);
  });

  test('processes that start together agree on one identity', async () => {
    await fill(2);
    const results = await Promise.all(Array.from({ length: 4 }, () => collect()));
    expect(results.map(({ off }) => off)).toEqual([undefined, undefined, undefined, undefined]);
    expect((await collect()).off).toBeUndefined();
    expect(await desk().$count(blobStores)).toBe(1);
  });
});
