import { mkdtemp, readdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type BlobStore, everyKey } from '../../src/storage/blob-store.ts';
import { createDiskStore } from '../../src/storage/disk/store.ts';
import { createS3Store } from '../../src/storage/s3/store.ts';
import { type S3Server, startS3Server } from '../support/servers/s3-server.ts';

/** A place for blobs that a test has to itself. */
export interface StoreWorld extends AsyncDisposable {
  readonly store: BlobStore;
  /** The same place as another process sees it. */
  another(): BlobStore;
  /** Whatever lies there, by its whole name; unfinished writes too. */
  names(): Promise<string[]>;
  /** As if a blob, finished or not, had last been written to then. */
  age(key: string, at: Date): Promise<void>;
  /** As if what was set aside had been so on another day. */
  moveAside(day: string, to: string): Promise<void>;
  /** Spoils a blob's bytes behind the store's back. */
  spoil(key: string, bytes: Buffer): Promise<void>;
  spoilIdentity(text: string): Promise<void>;
  /** As the command line names the place. */
  readonly url: string;
  readonly server?: S3Server;
}

async function openDisk(): Promise<StoreWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'blobs-'));
  const root = join(directory, 'blobs');
  return {
    store: createDiskStore(root),
    another: () => createDiskStore(root),
    async names() {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    async age(key, at) {
      for (const folder of [key.slice(0, 2), 'arriving'])
        await utimes(join(root, folder, key), at, at).catch(() => {});
    },
    moveAside: (day, to) => rename(join(root, 'aside', day), join(root, 'aside', to)),
    spoil: (key, bytes) => writeFile(join(root, key.slice(0, 2), key), bytes),
    spoilIdentity: (text) => writeFile(join(root, 'identity'), text),
    url: pathToFileURL(root).href,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

/**
 * Parts of the store's tests: S3 itself takes none below 5 MiB, and each test would hash and copy megabytes
 * ten times. `gateway.test.ts` has parts of that size.
 */
export const smallPart = 128 * 1024;

export async function openS3(partBytes = smallPart): Promise<StoreWorld> {
  // Where the usual chain of credentials looks first.
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'secret' });
  const server = await startS3Server(partBytes);
  const place = {
    bucket: 'desk',
    prefix: 'files/',
    endpoint: server.endpoint,
    region: 'eu-central-1',
    pathStyle: true,
    presign: true,
  };
  const requests = { answerWithinMs: 20_000, attempts: 2, partBytes };
  return {
    store: createS3Store(place, requests),
    another: () => createS3Store(place, requests),
    async names() {
      const { objects, uploads } = server.bucket;
      return [...objects.keys(), ...[...uploads.values()].map(({ key }) => `${key} unfinished`)];
    },
    async age(key, at) {
      for (const name of [`files/blobs/${key}`, `files/arriving/${key}`]) {
        const object = server.bucket.objects.get(name);
        if (object !== undefined) server.bucket.objects.set(name, { ...object, at });
      }
    },
    async moveAside(day, to) {
      const { bucket } = server;
      for (const name of bucket.objects.keys()) {
        if (!name.startsWith(`files/aside/${day}/`)) continue;
        bucket.copy(name, name.replace(day, to));
        bucket.remove(name);
      }
    },
    async spoil(key, bytes) {
      server.bucket.put(`files/blobs/${key}`, bytes);
    },
    async spoilIdentity(text) {
      server.bucket.put('files/identity', Buffer.from(text));
    },
    url: `s3://desk/files?endpoint=${server.endpoint}`,
    server,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      if (server.violations.length > 0) throw new Error(server.violations.join('\n'));
    },
  };
}

/**
 * Every kind of store: what holds of one must hold of the other. `partBytes` is the size of S3's parts.
 */
export const storeWorlds: Readonly<Record<string, (partBytes?: number) => Promise<StoreWorld>>> = {
  disk: openDisk,
  S3: openS3,
};

export async function all<T>(list: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of list) found.push(one);
  return found;
}

/** All keys of a store, or those of a range. */
export const keysOf = async (store: BlobStore, range = everyKey): Promise<string[]> =>
  (await all(store.list(range))).map(({ key }) => key).sort();
