import { createHash } from 'node:crypto';
import { createDigests } from '../append-digests.ts';
import { createAppendTurns } from '../append-turns.ts';
import {
  type AppendOptions,
  BlobMissing,
  BlobOffset,
  type BlobStore,
  BlobTooLarge,
  isBlobKey,
  newBlobKey,
  type Source,
} from '../blob-store.ts';
import { copySource, stopSource } from '../copy-and-hash.ts';
import {
  type Assembled,
  complete,
  createAssembly,
  nothingAssembled,
  sizeOfAssembled,
} from './multipart-assembly.ts';
import { S3Missing, type S3Objects, unlessMissing } from './object-requests.ts';

/**
 * After this many parts the state is saved, which limits the loss when the process is killed during a
 * request.
 */
const partsBetweenNotes = 8;

interface ObjectNames {
  readonly s3: S3Objects;
  readonly blobOf: (key: string) => string;
  /** Name of the object with the state of an unfinished blob and the rest that is too small for a part. */
  readonly noteOf: (key: string) => string;
  /** Reads a finished blob. */
  readonly read: (key: string) => Promise<AsyncIterable<Buffer>>;
}

/**
 * The part of an S3 store for blobs that are written by several requests. Until it is finished, a blob is a
 * state object and, once it has more bytes than one part, a multipart upload of the object that it becomes.
 * S3 accepts no part below 5 MiB except the last, so the state object has the bytes that were not sent yet,
 * and the list of the parts that were. It is always replaced as a whole, so that both match. A blob of at
 * most one part has no multipart upload: a list of these uploads alone would miss it. The six methods and
 * their errors are described at `BlobStore`.
 * @param names `s3`: the requests to the bucket; `blobOf`, `noteOf`: the names of a blob's object and of its
 *   state object; `read`: reads a finished blob, for the digest of one that this process has not hashed
 */
export function createResumableOnS3({
  s3,
  blobOf,
  noteOf,
  read,
}: ObjectNames): Pick<BlobStore, 'create' | 'append' | 'sizeOf' | 'finish' | 'takeOver' | 'abandon'> {
  const inTurn = createAppendTurns();
  const digests = createDigests();

  async function load(key: string): Promise<Assembled> {
    if (!isBlobKey(key)) throw new BlobMissing(key);
    const note = await s3.getWhole(noteOf(key)).catch((error) => {
      throw error instanceof S3Missing ? new BlobMissing(key) : error;
    });
    return readNote(note);
  }
  const save = (key: string, state: Assembled) => s3.put(noteOf(key), writeNote(state));

  async function appendFrom(
    key: string,
    source: Source,
    begun: Assembled,
    maxBytes: number,
  ): Promise<number> {
    const offset = sizeOfAssembled(s3, begun);
    const hash = digests.goOn(key, offset);
    const assembly = createAssembly(s3, blobOf(key), begun);
    let savedParts: number | undefined;
    const note = async () => {
      savedParts = assembly.partsCut();
      await save(key, await assembly.assembled());
    };
    digests.forget(key);
    try {
      const { byteSize } = await copySource(source, maxBytes - offset, hash, async (pieces) => {
        await assembly.write(pieces);
        if (assembly.partsCut() - (savedParts ?? begun.parts.length) >= partsBetweenNotes) await note();
      });
      if (byteSize > 0) await note();
      digests.keep(key, hash, offset + byteSize);
      return offset + byteSize;
    } catch (error) {
      const tooLarge = error instanceof BlobTooLarge;
      // The client is told that the file is too large, whatever becomes of the state.
      const isRestored =
        savedParts !== undefined &&
        tooLarge &&
        (await save(key, begun).then(
          () => true,
          () => false,
        ));
      // A state object whose response was lost may exist, so the parts that it lists must remain. Other
      // parts are replaced by the next append.
      if (begun.uploadId === undefined && (savedParts === undefined || isRestored))
        await assembly.abandon().catch(() => {});
      throw error;
    }
  }

  /**
   * Completes the object. An earlier attempt whose response was lost may have completed it.
   * @returns its size
   */
  async function settle(key: string): Promise<number> {
    try {
      const state = await load(key);
      await complete(s3, blobOf(key), state);
      return sizeOfAssembled(s3, state);
    } catch (error) {
      if (!(error instanceof BlobMissing) || !isBlobKey(key)) throw error;
      return s3.sizeOf(blobOf(key)).catch(() => {
        throw error;
      });
    }
  }

  async function abandon(key: string): Promise<void> {
    if (!isBlobKey(key)) return;
    digests.forget(key);
    await s3.remove(noteOf(key));
    for await (const { name, uploadId } of s3.listUploads(blobOf(key)))
      if (name === '') await s3.abort(blobOf(key), uploadId);
  }

  /**
   * The parts of a multipart upload can be read only once they are an object. Completing them also shuts the
   * upload to one who is still sending parts to it.
   * @returns the key of the copy; undefined when another process has finished the blob
   */
  async function copyOf(key: string): Promise<string | undefined> {
    const state = await load(key);
    const { uploadId, parts, tail } = state;
    let stored: AsyncIterable<Buffer> | undefined;
    if (uploadId !== undefined) {
      await s3.complete(blobOf(key), uploadId, parts).catch(unlessMissing);
      // An earlier attempt may have completed it, or the other process together with the rest.
      const byteSize = await s3.sizeOf(blobOf(key)).catch(unlessMissing);
      if (byteSize === sizeOfAssembled(s3, state)) return undefined;
      if (byteSize !== parts.length * s3.partBytes) throw new BlobMissing(key);
      stored = await read(key);
    }
    const copy = newBlobKey();
    const hash = createHash('sha256');
    const assembly = createAssembly(s3, blobOf(copy), nothingAssembled);
    try {
      const bytes = inOrder(stored, tail);
      const { byteSize, brokenOff } = await copySource(bytes, Number.POSITIVE_INFINITY, hash, assembly.write);
      if (brokenOff !== undefined) throw brokenOff;
      await save(copy, await assembly.assembled());
      digests.keep(copy, hash, byteSize);
      return copy;
    } catch (error) {
      await assembly.abandon().catch(() => {});
      throw error;
    }
  }

  return {
    async create() {
      const key = newBlobKey();
      await save(key, nothingAssembled);
      digests.begin(key);
      return key;
    },

    append: (key, source, { offset, maxBytes }: AppendOptions) =>
      inTurn(key, source, async () => {
        const begun = await load(key);
        const byteSize = sizeOfAssembled(s3, begun);
        if (byteSize !== offset) throw new BlobOffset(byteSize);
        return appendFrom(key, source, begun, maxBytes);
      }).catch((error) => {
        stopSource(source);
        throw error;
      }),

    sizeOf: (key) => inTurn(key, undefined, async () => sizeOfAssembled(s3, await load(key))),

    finish: (key) =>
      inTurn(key, undefined, async () => {
        const byteSize = await settle(key);
        const sha256 = digests.digestOf(key, byteSize) ?? (await digestOf(await read(key)));
        // The state object is deleted last, so that everything before can be retried.
        await abandon(key).catch(unlessMissing);
        return { key, byteSize, sha256 };
      }),

    takeOver: (key) =>
      inTurn(key, undefined, () => copyOf(key)).catch((error) => {
        if (error instanceof BlobMissing) return undefined;
        throw error;
      }),

    abandon: (key) => inTurn(key, undefined, () => abandon(key)),
  };
}

async function* inOrder(first: AsyncIterable<Buffer> | undefined, last: Buffer): AsyncGenerator<Buffer> {
  if (first !== undefined) yield* first;
  yield last;
}

async function digestOf(bytes: AsyncIterable<Buffer>): Promise<Buffer> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest();
}

/** One line of JSON, followed by the rest that is too small for a part. */
function writeNote({ uploadId, parts, tail }: Assembled): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ uploadId, parts })}\n`), tail]);
}

function readNote(note: Buffer): Assembled {
  const end = note.indexOf('\n');
  const { uploadId, parts } = JSON.parse(note.subarray(0, end).toString()) as Pick<
    Assembled,
    'uploadId' | 'parts'
  >;
  return { uploadId, parts, tail: note.subarray(end + 1) };
}
