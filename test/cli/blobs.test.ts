import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { collectors, createDeskFiles, type DeskFiles, hours } from '../storage/desk-files.ts';
import { all, keysOf, storeWorlds } from '../storage/stores.ts';
import { createTestDatabase, shareDatabase } from '../support/database.ts';
import { testOnce } from '../support/soak.ts';
import { typeCommand } from './command-line.ts';

const database = shareDatabase(collectors);

describe.each(Object.keys(storeWorlds))('%s', (kind) => {
  let files: DeskFiles;
  beforeEach(async () => {
    files = await createDeskFiles(kind, database());
  });
  afterEach(() => {
    vi.useRealTimers();
    return files[Symbol.asyncDispose]();
  });

  async function ticketwire(argv: string, db = files.world.database.desk, url = files.place.url) {
    const open = async () => ({
      ...{ db, sql: files.world.database.raw, config: readConfig({ BLOBS_URL: url }) },
      async [Symbol.asyncDispose]() {},
    });
    return typeCommand(argv.split(' '), { open });
  }
  async function fill(count: number): Promise<string[]> {
    const keys: string[] = [];
    for (let position = 1; position <= count; position++) {
      const blob = await files.blobOf(48);
      await files.attach(blob, position);
      keys.push(blob.key);
    }
    return keys;
  }

  testOnce(kind, 'disk')(
    'verify reads every file, and counts what is left over, but not of the last hour',
    async () => {
      await fill(3);
      await files.blobOf(48, { row: false });
      await files.place.age(await files.store.create(), hours(48));
      await files.blobOf(0, { row: false });
      await files.store.create();
      const { code, out, err } = await ticketwire('blobs verify --json');
      expect(JSON.parse(out)).toEqual({
        ...{ rows: 3, bytes: 15, damaged: [], strays: 2, aside: 0, collectionOff: null },
      });
      expect(err).toBe('3 of 3 files, 15 bytes\n');
      expect(code).toBe(0);
      expect(await keysOf(files.store)).toHaveLength(7);
    },
  );

  testOnce(kind, 'S3')('verify of an empty desk', async () => {
    const { code, out, err } = await ticketwire('blobs verify');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^FILES OF MESSAGES +0$/m);
    expect(out).toMatch(/^GARBAGE COLLECTION +on$/m);
  });

  testOnce(kind, 'S3')('verify tells each file that is missing, short, or not what was stored', async () => {
    const [missing, short, other, good] = await fill(4);
    await ticketwire('blobs collect');
    await files.store.remove(missing!);
    await files.place.spoil(short!, Buffer.from('byte'));
    await files.place.spoil(other!, Buffer.from('bytez'));
    const { code, out, err } = await ticketwire('blobs verify --json');
    const { damaged, ...counts } = JSON.parse(out);
    expect(damaged).toHaveLength(3);
    expect(damaged).toEqual(
      expect.arrayContaining([
        { key: missing, what: 'MISSING' },
        { key: short, what: 'WRONG_SIZE' },
        { key: other, what: 'WRONG_DIGEST' },
      ]),
    );
    expect(counts).toEqual({ rows: 4, bytes: 20, strays: 0, aside: 0, collectionOff: null });
    expect(err).toContain(`${other}  is not what was stored\n`);
    expect(err).not.toContain(good);
    expect(code).toBe(1);
  });

  testOnce(kind, 'disk')(
    'verify of another database’s store says so, and adopt makes it its own',
    async () => {
      const keys = await fill(2);
      await ticketwire('blobs verify');
      expect(await files.store.identity()).toBeUndefined();
      await ticketwire('blobs collect');
      await using empty = await createTestDatabase();
      const { code, out } = await ticketwire('blobs verify --json', empty.database.desk);
      expect(JSON.parse(out)).toMatchObject({ rows: 0, strays: 2, collectionOff: expect.any(String) });
      expect(code).toBe(1);
      const refused = await ticketwire('blobs collect', empty.database.desk);
      expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('Files were not collected') });
      expect(await keysOf(files.store)).toEqual(keys.sort());
      expect(await ticketwire('blobs adopt', empty.database.desk)).toMatchObject({ code: 0, err: '' });
      const collected = await ticketwire('blobs collect --json', empty.database.desk);
      expect(JSON.parse(collected.out)).toMatchObject({ keys: 2, blobs: 0 });
      expect(await all(files.store.listAside())).toHaveLength(2);
      expect(await ticketwire('blobs collect')).toMatchObject({
        code: 1,
        err: expect.stringContaining('another'),
      });
    },
  );

  testOnce(kind, 'S3')(
    'young files are left alone although the machine’s clock is a year ahead',
    async () => {
      await fill(1);
      const waiting = await files.blobOf(0, { row: false });
      await files.store.create();
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 365 * 86_400_000 });
      const verified = await ticketwire('blobs verify --json');
      const collected = await ticketwire('blobs collect --json');
      vi.useRealTimers();
      expect(JSON.parse(verified.out)).toMatchObject({ strays: 0 });
      expect(JSON.parse(collected.out)).toMatchObject({ keys: 0 });
      expect(await keysOf(files.store)).toHaveLength(3);
      expect(await keysOf(files.store)).toContain(waiting.key);
    },
  );

  testOnce(kind, 'disk')('collect refuses an unlikely share until it is told that it is right', async () => {
    await fill(1);
    for (let n = 0; n < 51; n++) await files.blobOf(48, { row: false });
    const refused = await ticketwire('blobs collect');
    expect(refused).toMatchObject({ code: 1, err: expect.stringContaining('unlikely') });
    expect(await all(files.store.listAside())).toEqual([]);
    const { out } = await ticketwire('blobs collect --any-share --json');
    expect(JSON.parse(out)).toMatchObject({ keys: 51 });
  });
});

test('a store that does not answer is told by its setting', async () => {
  await using files = await createDeskFiles('disk');
  const blob = await files.blobOf(0);
  await files.attach(blob);
  const { code, err } = await typeCommand(['blobs', 'verify'], {
    open: async () => ({
      db: files.world.database.desk,
      sql: files.world.database.raw,
      config: readConfig({ BLOBS_URL: 's3://desk?endpoint=http://127.0.0.1:9' }),
      async [Symbol.asyncDispose]() {},
    }),
  });
  expect(code).toBe(1);
  expect(err).toContain('BLOBS_URL: the blob store does not answer');
});
