import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readlink, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BlobMissing, type BlobStore, everyKey, StoreUnavailable } from '../../../src/storage/blob-store.ts';
import { createDiskStore } from '../../../src/storage/disk/store.ts';
import { readAll } from '../../support/servers/read-all.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { hasStrace, hasTmpfs, straceWith } from '../fault-tools.ts';
import { all, keysOf } from '../stores.ts';

let directory: string;
let store: BlobStore;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'blobs-'));
  store = createDiskStore(join(directory, 'blobs'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const putNine = async () => (await store.put(Readable.from([Buffer.alloc(9)]), 9)).key;
const files = async (under = directory) =>
  (await readdir(under, { recursive: true, withFileTypes: true }))
    .filter((e) => e.isFile())
    .map((e) => e.name);
test('files and folders are accessible to the gateway’s user alone', async () => {
  const { key } = await store.put(Readable.from([Buffer.alloc(9)]), 9);
  for (const path of ['blobs', `blobs/${key.slice(0, 2)}`, `blobs/${key.slice(0, 2)}/${key}`])
    expect((await stat(join(directory, path))).mode & 0o077).toBe(0);
});

test('bytes are written to disk while the sender continues', async () => {
  const source = new PassThrough();
  const put = store.put(source, 1e6).catch((e) => e);
  source.write(Buffer.alloc(50_000));
  await expect.poll(() => files()).toHaveLength(1);
  source.destroy(new Error('the caller went away'));
  expect((await put).message).toBe('the caller went away');
  expect(await files()).toEqual([]);
});

test('a folder that is removed under a running gateway is created again', async () => {
  await store.put(Readable.from([Buffer.alloc(9)]), 9);
  await rm(join(directory, 'blobs'), { recursive: true });
  for (let n = 0; n < 3; n++) {
    const { key } = await store.put(Readable.from([Buffer.alloc(9)]), 9);
    expect(await readAll(await store.open(key))).toHaveLength(9);
  }
});

test('a folder of files that were set aside is created again when somebody has removed it', async () => {
  const [first, second] = [await putNine(), await putNine()];
  await store.setAside(first);
  await rm(join(directory, 'blobs', 'aside'), { recursive: true });
  await store.setAside(second);
  const [aside] = await all(store.listAside());
  expect([await keysOf(store), aside?.key]).toEqual([[], second]);
  await rm(join(directory, 'blobs', second.slice(0, 2)), { recursive: true });
  await store.restore(aside!);
  expect(await keysOf(store)).toEqual([second]);
});

test('files that an older version left unfinished are listed as unfinished, with their age', async () => {
  const left = 'f'.repeat(40);
  await mkdir(join(directory, 'blobs/arriving'), { recursive: true });
  await writeFile(join(directory, 'blobs/arriving', left), 'half');
  const hourAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(directory, 'blobs/arriving', left), hourAgo, hourAgo);
  expect(await all(store.list(everyKey))).toEqual([{ key: left, at: hourAgo, finished: false }]);
  await store.remove(left);
  expect(await files()).toEqual([]);
});

test.each(['/proc/nope', '/dev/null/blobs', '/proc/nope/deeper/still', `/tmp/${'x'.repeat(256)}`])(
  'a place where no folder can be made (%s) is a fault at once',
  async (place) => {
    const nowhere = createDiskStore(place);
    await expect(nowhere.check()).rejects.toThrow(/ENOENT|ENOTDIR|EACCES|EPERM|ENAMETOOLONG/);
    const error = await nowhere.put(Readable.from([Buffer.alloc(9)]), 9).catch((e) => e);
    expect(error).toBeInstanceOf(StoreUnavailable);
  },
);

test.runIf(hasTmpfs)('a full disk is an error and leaves no row; a smaller file is stored next', async () => {
  const disk = join(directory, 'disk');
  await mkdir(disk);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status).toBe(0);
  try {
    const small = createDiskStore(join(disk, 'blobs'));
    const error = await small.put(Readable.from([Buffer.alloc(2_000_000)]), 1e7).catch((e) => e);
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(error.cause.code).toBe('ENOSPC');
    expect(await files(disk)).toEqual([]);
    const { key } = await small.put(Readable.from([Buffer.alloc(500_000)]), 1e7);
    expect(await readAll(await small.open(key))).toHaveLength(500_000);
  } finally {
    spawnSync('umount', [disk]);
  }
});

/** Every fsync when soaking, else every third one: each of them starts a process under strace. */
const stride = soaking ? 1 : 3;

/** strace counts by thread: one thread makes all calls. */
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };
const program = fileURLToPath(new URL('put-once.ts', import.meta.url));
const putUnder = (inject: string) =>
  spawnSync('strace', [...straceWith('fsync', inject), process.execPath, program, join(directory, 'blobs')], {
    encoding: 'utf8',
    env,
  });

test.runIf(hasStrace).each([
  ['ESTALE', 'the store', '.', 'getdents64', `StoreUnavailable ${-constants.errno.ESTALE}; 1`],
  ['ENOTCONN', 'the store', '.', 'getdents64', `StoreUnavailable ${-constants.errno.ENOTCONN}; 1`],
  ['EDQUOT', 'the days', 'aside', 'getdents64', `1; StoreUnavailable ${-constants.errno.EDQUOT}`],
  ['EACCES', 'a file', '', 'statx', `StoreUnavailable ${-constants.errno.EACCES}; 1`],
])('a disk that says %s while it lists %s may recover', async (why, _what, place, call, said) => {
  const [kept, gone] = [await putNine(), await putNine()];
  await store.setAside(gone);
  const failing = join(directory, 'blobs', place === '' ? `${kept.slice(0, 2)}/${kept}` : place);
  const inject = ['-P', failing, ...straceWith(call, `error=${why}`)];
  const lister = fileURLToPath(new URL('list-once.ts', import.meta.url));
  const words = [...inject, process.execPath, lister, join(directory, 'blobs')];
  const { stdout, stderr } = spawnSync('strace', words, { encoding: 'utf8', env });
  expect({ stdout, stderr }).toEqual({ stdout: said, stderr: '' });
});

test.runIf(hasStrace)('whichever fsync fails, the put fails and leaves nothing', async () => {
  const syncs = countSyncs();
  expect(syncs).toBeGreaterThanOrEqual(4);
  for (let n = syncs; n >= 1; n -= stride) {
    await rm(join(directory, 'blobs'), { recursive: true, force: true });
    const run = putUnder(`error=EIO:when=${n}`);
    expect(run.stdout, `fsync ${n}`).toBe('');
    expect(run.stderr).toContain('EIO');
    expect(await files()).toEqual([]);
  }
});

test.runIf(hasStrace && soaking)(
  'killed at whichever fsync, it has acknowledged nothing, and all it leaves is collectable',
  async () => {
    const syncs = countSyncs();
    let left = 0;
    for (let n = syncs; n >= 1; n -= stride) {
      await rm(join(directory, 'blobs'), { recursive: true, force: true });
      const run = putUnder(`signal=KILL:when=${n}`);
      expect(run.stdout, `fsync ${n}`).toBe('');
      const remains = existsSync(join(directory, 'blobs')) ? await files() : [];
      expect(await keysOf(store)).toEqual(remains);
      left += remains.length;
      for (const key of remains) await store.remove(key);
      expect(await files()).toEqual([]);
    }
    expect(left).toBeGreaterThan(0);
  },
);

test.runIf(hasStrace)(
  'bytes, and then their name, are on disk before the key is told, in seven calls',
  () => {
    const begun = traceOf().filter((line) => /^(\S*\s+)?\w+\(/.test(line));
    const calls = begun.filter((line) => /[0-9a-f]{40}|\/[0-9a-f]{2}[>"]|write\(1</.test(line));
    const told = calls.findLastIndex((line) => line.includes('write(1<'));
    const last = calls.slice(told - 7, told + 1).map((line) => line.replace(/^.*?(\w+)\(.*$/, '$1'));
    expect(last).toEqual(['openat', 'write', 'fsync', 'close', 'openat', 'fsync', 'close', 'write']);
  },
);

/** What a process that appended said, and what another one finds after it. */
async function appendUnder(inject: string) {
  await rm(join(directory, 'blobs'), { recursive: true, force: true });
  const appending = fileURLToPath(new URL('append-once.ts', import.meta.url));
  const { stdout, status, signal } = spawnSync(
    'strace',
    [...straceWith('fsync', inject), process.execPath, appending, join(directory, 'blobs')],
    { encoding: 'utf8', env },
  );
  const next = createDiskStore(join(directory, 'blobs'));
  const key = /^created (.*)$/m.exec(stdout)?.[1];
  const durable = Number([...stdout.matchAll(/^durable (\d+)$/gm)].at(-1)?.[1] ?? 0);
  const whole = stdout.includes('finished');
  return { next, key, durable, whole, ended: signal ?? status };
}

test.runIf(hasStrace).each(sampled(['error=EIO', 'signal=KILL'], 2))(
  'an append that meets %s at whichever fsync keeps what it has acknowledged, and can be gone on with',
  async (fault) => {
    let finished = 0;
    for (let n = 1; finished === 0; n += stride) {
      const { next, key, durable, whole } = await appendUnder(`${fault}:when=${n}`);
      if (whole) finished = n;
      else if (key !== undefined) {
        const stored = await next.finish(key);
        expect(stored.byteSize, `fsync ${n}`).toBeGreaterThanOrEqual(durable);
        const bytes = await readAll(await next.open(key));
        expect(bytes.equals(Buffer.alloc(stored.byteSize, 7))).toBe(true);
      }
      for (const left of await keysOf(next)) await next.remove(left);
      expect(await files()).toEqual([]);
    }
    // Folders, the file at each step, and its name.
    expect(finished).toBeGreaterThanOrEqual(8);
  },
  60_000,
);

/** How many fsyncs one put makes into an empty store. */
const countSyncs = () => traceOf().filter((line) => line.includes('fsync(')).length;

let trace: string[] | undefined;
/** The calls of one put into an empty store. */
function traceOf(): string[] {
  if (trace !== undefined) return trace;
  const log = join(directory, 'trace');
  const target = join(directory, 'traced');
  const options = ['-f', '-qq', '-y', '--seccomp-bpf', '-e', 'trace=file,desc'];
  spawnSync('strace', [...options, '-o', log, process.execPath, program, target], { env });
  trace = readFileSync(log, 'utf8').trim().split('\n');
  rmSync(log);
  rmSync(target, { recursive: true });
  return trace;
}

test.runIf(process.platform === 'linux')(
  'a blob that another process abandons while it is finished is missing, not finished',
  async () => {
    const key = await store.create();
    await store.append(key, Readable.from([Buffer.alloc(9)]), { offset: 0, maxBytes: 1e9 });
    // The process that finishes it has not seen its bytes, so it reads them all.
    await truncate(join(directory, 'blobs/arriving', key), 120e6);
    const finishing = createDiskStore(join(directory, 'blobs')).finish(key);
    const opened = async () =>
      Promise.all(
        (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
      );
    await expect.poll(opened).toContainEqual(expect.stringContaining(key));
    await store.abandon(key);
    await expect(finishing).rejects.toThrow(BlobMissing);
  },
);
