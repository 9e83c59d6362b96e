import type { ServerResponse } from 'node:http';
import type { Limits } from '../config.ts';
import { type Receive, type ReceivedFile, RequestOver } from '../platform/incoming-file.ts';
import { type BlobStore, BlobTooLarge } from '../storage/blob-store.ts';

export interface ReceivePorts {
  readonly blobs: BlobStore;
  readonly limits: Pick<Limits, 'attachmentBytes' | 'messageAttachmentsBytes'>;
  /** Told when a file begins to arrive, and when it does not any more. */
  readonly uploading?: ((by: 1 | -1) => void) | undefined;
}

/** The `receive` port of one request. It costs nothing until the first file comes. */
export function receiveFor(res: ServerResponse, ports: ReceivePorts): Receive {
  let files: RequestFiles | undefined;
  return (source, list) => {
    files ??= new RequestFiles(res, ports);
    return files.receive(source, list);
  };
}

/** The files that one request has brought so far. */
class RequestFiles {
  readonly #ports: ReceivePorts;
  /** Bytes that each list may still bring. */
  readonly #left = new Map<string, number>();
  /** How many commands have claimed each blob: one part may be several attachments. */
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

  /** Removes what nobody claims. What cannot be removed now is the collector's. */
  #sweep(): void {
    for (const [key, claims] of this.#claims) {
      if (claims > 0) continue;
      this.#claims.delete(key);
      this.#ports.blobs.remove(key).catch(() => {});
    }
  }
}
