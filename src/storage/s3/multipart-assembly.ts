import { S3Missing, type S3Objects, type UploadedPart } from './object-requests.ts';

/** Concurrent parts per blob. */
const partsInFlight = 2;

/** The parts that S3 has, and the remaining bytes that it does not have, at most as many as one part. */
export interface Assembled {
  /** Of the multipart upload; undefined until the first part is sent. */
  readonly uploadId: string | undefined;
  readonly parts: readonly UploadedPart[];
  readonly tail: Buffer;
}
/** The state of an upload without any bytes. */
export const nothingAssembled: Assembled = { uploadId: undefined, parts: [], tail: Buffer.alloc(0) };
/** Size in bytes of parts and tail together. */
export const sizeOfAssembled = ({ partBytes }: S3Objects, { parts, tail }: Assembled): number =>
  parts.length * partBytes + tail.length;

/**
 * Continues a multipart upload: splits the bytes into parts of `partBytes`, and sends up to two of them at a
 * time while more are read. The upload is begun with the first part; a blob of at most one part needs none.
 * @param name name of the object
 * @param begun the state so far; `nothingAssembled` for a new object
 * @returns `write` takes further bytes in order, and rejects when a part could not be sent. `partsCut` is the
 *   number of parts that were sent or are being sent. `assembled` waits for these and resolves to the state.
 *   `abandon` waits for them and aborts the upload; one that does not exist is no error. `write` and
 *   `assembled` reject with StoreUnavailable, or S3Missing when the upload no longer exists; `abandon` with
 *   StoreUnavailable
 */
export function createAssembly(s3: S3Objects, name: string, begun: Assembled) {
  const { partBytes } = s3;
  let { uploadId } = begun;
  let cut = begun.parts.length;
  let waiting: Buffer[] = begun.tail.length > 0 ? [begun.tail] : [];
  let waitingBytes = begun.tail.length;
  const parts = new Map(begun.parts.map((part) => [part.number, part]));
  const inFlight = new Set<Promise<void>>();
  let fault: unknown;

  async function sendPart(bytes: Buffer): Promise<void> {
    uploadId ??= await s3.begin(name);
    while (inFlight.size >= partsInFlight) await Promise.race(inFlight);
    if (fault !== undefined) throw fault;
    cut += 1;
    const sending: Promise<void> = s3
      .putPart(name, uploadId, cut, bytes)
      .then((part) => void parts.set(part.number, part))
      .catch((error) => {
        fault ??= error;
      })
      .finally(() => inFlight.delete(sending));
    inFlight.add(sending);
  }

  /** Waits for every part that is being sent. */
  async function settle(): Promise<void> {
    await Promise.all(inFlight);
    if (fault !== undefined) throw fault;
  }

  return {
    partsCut: () => cut,
    /**
     * A full part is held back as well: if it is the whole blob, it is stored as one object without parts.
     */
    async write(pieces: readonly Buffer[]): Promise<void> {
      waiting.push(...pieces);
      waitingBytes += pieces.reduce((sum, { length }) => sum + length, 0);
      if (waitingBytes <= partBytes) return;
      let joined = Buffer.concat(waiting);
      for (; joined.length > partBytes; joined = joined.subarray(partBytes))
        await sendPart(joined.subarray(0, partBytes));
      waiting = [joined];
      waitingBytes = joined.length;
    },
    async assembled(): Promise<Assembled> {
      await settle();
      const inOrder = [...parts.values()].sort((a, b) => a.number - b.number);
      return { uploadId, parts: inOrder, tail: Buffer.concat(waiting) };
    },
    /** Only when no part is being sent can none arrive after the upload was aborted. */
    async abandon(): Promise<void> {
      await settle().catch(() => {});
      if (uploadId !== undefined) await s3.abort(name, uploadId);
    },
  };
}

/**
 * Completes the object, sending the tail as its last part, or as the whole object if no upload was begun.
 * Succeeds too if an earlier attempt whose response was lost has completed it.
 * @throws S3Missing when the upload no longer exists and the object does not have this size; StoreUnavailable
 */
export async function complete(s3: S3Objects, name: string, assembled: Assembled): Promise<void> {
  const { uploadId, parts, tail } = assembled;
  if (uploadId === undefined) return s3.put(name, tail);
  try {
    const last = await s3.putPart(name, uploadId, parts.length + 1, tail);
    await s3.complete(name, uploadId, [...parts, last]);
  } catch (error) {
    if (!(error instanceof S3Missing)) throw error;
    const size = await s3.sizeOf(name);
    if (size !== sizeOfAssembled(s3, assembled)) throw error;
  }
}
