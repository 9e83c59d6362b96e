import type { ServerResponse } from 'node:http';
import type { Limits } from '../config.ts';
import { type Receive, type ReceivedFile, RequestOver } from '../platform/incoming-file.ts';
import { type BlobStore, BlobTooLarge } from '../storage/blob-store.ts';

/** What storing files needs. */
export interface ReceivePorts {
  readonly blobs: BlobStore;
  /** Bytes of one file, and of all files of a list together, inclusive. */
  readonly limits: Pick<Limits, 'attachmentBytes' | 'messageAttachmentsBytes'>;
  /** Called with 1 when a file begins to arrive, and with -1 when it was stored or has failed. */
  readonly uploading?: ((by: 1 | -1) => void) | undefined;
}

/**
 * Creates the function that stores the files of one request. Files that no command has claimed are removed
 * when the response is closed.
 * @returns a function that resolves when a file is stored. It rejects with BlobTooLarge when the file, or its
 *   list together, exceeds its limit, with RequestOver when more bytes come after the request has ended, and
 *   with the store's errors. What remains of a file that was not stored is removed by the store
 */
export function receiveFor(res: ServerResponse, ports: ReceivePorts): Receive {
  let files: RequestFiles | undefined;
  return (source, list) => {
    files ??= new RequestFiles(res, ports);
    return files.receive(source, list);
  };
}

/** The files of one request. */
class RequestFiles {
  readonly #ports: ReceivePorts;
  /** Remaining bytes of each list. */
  readonly #left = new Map<string, number>();
  /** Number of claims on each blob. One part may become several attachments. */
  readonly #claims = new Map<string, number>();
  #over: boolean;

  constructor(res: ServerResponse, ports: ReceivePorts) {
    this.#ports = ports;
    this.#over = res.closed;
    res.once('close', () => {
      this.#over = true;
      this.#sweep();
    });
  }

  async receive(source: AsyncIterable<Buffer>, list: string): Promise<ReceivedFile> {
    const { blobs, limits, uploading } = this.#ports;
    uploading?.(1);
    const blob = await blobs
      .put(this.#metered(source, list), limits.attachmentBytes)
      .finally(() => uploading?.(-1));
    this.#claims.set(blob.key, 0);
    if (this.#over) this.#sweep();
    return { ...blob, claim: () => this.#count(blob.key, 1), release: () => this.#count(blob.key, -1) };
  }

  async *#metered(source: AsyncIterable<Buffer>, list: string): AsyncGenerator<Buffer> {
    const { messageAttachmentsBytes: together } = this.#ports.limits;
    for await (const chunk of source) {
      if (this.#over) throw new RequestOver();
      const left = (this.#left.get(list) ?? together) - chunk.length;
      if (left < 0) throw new BlobTooLarge(together);
      this.#left.set(list, left);
      yield chunk;
    }
  }

  #count(key: string, by: 1 | -1): void {
    const claims = this.#claims.get(key);
    if (claims === undefined) throw new RequestOver();
    this.#claims.set(key, claims + by);
    if (this.#over) this.#sweep();
  }

  /** Removes unclaimed blobs. Garbage collection removes those for which this fails. */
  #sweep(): void {
    for (const [key, claims] of this.#claims) {
      if (claims > 0) continue;
      this.#claims.delete(key);
      this.#ports.blobs.remove(key).catch(() => {});
    }
  }
}
