import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Place } from '../../settings/blobs-url.ts';
import { dayOf, isDay } from '../aside-day.ts';
import {
  BlobMissing,
  type BlobStore,
  isBlobKey,
  isInRange,
  type KeyRange,
  type ListedBlob,
  newBlobKey,
} from '../blob-store.ts';
import { checkStore } from '../check-store.ts';
import { copySource } from '../copy-and-hash.ts';
import { readIdentity, writeIdentity } from '../store-identity.ts';
import { complete, createAssembly, nothingAssembled } from './multipart-assembly.ts';
import { createS3Objects, S3Missing, type S3RequestOptions, unlessMissing } from './object-requests.ts';
import { openObject } from './open-object.ts';
import { createResumableOnS3 } from './resumable-blobs.ts';

/** How long a failed `put` waits for its cleanup, milliseconds; the rest is left to the garbage collector. */
const clearWithinMs = 2000;

/**
 * Stores blobs as objects in an S3 bucket. `blobs/abcdef…` is a finished blob, `arriving/abcdef…` the
 * progress of an unfinished one, and `aside/2026-11-28/abcdef…` a blob that the garbage collector set aside
 * on that day. The object `identity` says which database the store belongs to, see store-owner.ts. Creating
 * the store contacts nothing. Credentials come from the environment, as the AWS SDK finds them.
 * @param requests timeouts, retries and sizes; their defaults are in `S3RequestOptions`
 */
export function createS3Store(options: S3Place, requests: S3RequestOptions = {}): BlobStore {
  const s3 = createS3Objects(options, requests);
  const { bytesWithinMs = 30_000 } = requests;
  const blobOf = (key: string) => `blobs/${key}`;
  const noteOf = (key: string) => `arriving/${key}`;
  const asideOf = ({ key, day }: { key: string; day: string }) => `aside/${day}/${key}`;
  const read = (key: string, range?: { start: number; end: number }, signal?: AbortSignal) =>
    openObject(s3, blobOf(key), { range, bytesWithinMs, signal }).catch((error) => {
      throw error instanceof S3Missing ? new BlobMissing(key) : error;
    });
  const unfinished = createResumableOnS3({ s3, blobOf, noteOf, read });

  async function move(from: string, to: string): Promise<void> {
    await s3.copy(from, to);
    await s3.remove(from);
  }

  const store: BlobStore = {
    async put(source, maxBytes) {
      const key = newBlobKey();
      const hash = createHash('sha256');
      const assembly = createAssembly(s3, blobOf(key), nothingAssembled);
      let completing = false;
      try {
        const { byteSize, brokenOff } = await copySource(source, maxBytes, hash, assembly.write);
        if (brokenOff !== undefined) throw brokenOff;
        const assembled = await assembly.assembled();
        completing = true;
        await complete(s3, blobOf(key), assembled);
        return { key, byteSize, sha256: hash.digest() };
      } catch (error) {
        // A lost response does not mean that nothing was stored.
        const clearing = assembly.abandon().then(() => (completing ? s3.remove(blobOf(key)) : undefined));
        await Promise.race([clearing.catch(() => {}), sleep(clearWithinMs, undefined, { ref: false })]);
        throw error;
      }
    },

    async open(key, range, signal) {
      if (!isBlobKey(key)) throw new BlobMissing(key);
      return read(key, range, signal);
    },

    async byteSizeOf(key) {
      return isBlobKey(key) ? s3.sizeOf(blobOf(key)).catch(unlessMissing) : undefined;
    },

    async remove(key) {
      if (!isBlobKey(key)) return;
      await Promise.all([s3.remove(blobOf(key)), unfinished.abandon(key)]);
    },

    ...unfinished,

    check: () => checkStore(store),
    waitAtMost: s3.patience.shorten,

    async *list(range) {
      yield* listUnder('blobs/', range, true);
      const seen = new Set<string>();
      for await (const entry of listUnder('arriving/', range, false)) {
        seen.add(entry.key);
        yield entry;
      }
      // Left by a process that was killed while it sent parts.
      for await (const { name: key, at } of s3.listUploads('blobs/')) {
        if (!isBlobKey(key) || !isInRange(key, range) || seen.has(key)) continue;
        seen.add(key);
        yield { key, at, finished: false };
      }
    },

    async setAside(key) {
      if (!isBlobKey(key)) return;
      await move(blobOf(key), asideOf({ key, day: dayOf(new Date()) })).catch(unlessMissing);
    },

    async *listAside() {
      for await (const { name } of s3.list('aside/')) {
        const [day, key] = name.split('/');
        if (isDay(day!) && isBlobKey(key ?? '')) yield { key: key!, day: day! };
      }
    },

    restore: (aside) => move(asideOf(aside), blobOf(aside.key)).catch(unlessMissing),
    destroy: (aside) => s3.remove(asideOf(aside)),

    async identity() {
      const found = await s3.getWhole('identity').catch(unlessMissing);
      return found === undefined ? undefined : readIdentity(found.toString());
    },
    setIdentity: (identity) => s3.put('identity', Buffer.from(writeIdentity(identity))),

    ...(options.presign ? { presign: (key, asked) => s3.presign(blobOf(key), asked) } : {}),
  };
  return store;

  async function* listUnder(folder: string, range: KeyRange, finished: boolean): AsyncGenerator<ListedBlob> {
    // S3 lists names after the given one, but a range includes its first key.
    for await (const { name: key, at } of s3.list(folder, range.from.slice(0, 39))) {
      if (key >= range.to) return;
      if (isBlobKey(key) && isInRange(key, range)) yield { key, at, finished };
    }
  }
}
