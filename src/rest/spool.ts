import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { WriteStream } from 'graphql-upload-ts/fs-capacitor';
import { writeWhole } from '../whole-writes.ts';

/** Bytes that the files of one request may hold in memory together; what goes beyond is spooled to the disk. */
const memoryPerRequest = 64 * 1024;

/** The files of one request: counts what they hold in memory, waits for the disk, removes them all in the end. */
export class Spools {
  #memory = memoryPerRequest;
  readonly #all: Spool[] = [];

  create(): Spool {
    const spool = new Spool((bytes) => {
      if (bytes > this.#memory) return false;
      this.#memory -= bytes;
      return true;
    });
    this.#all.push(spool);
    return spool;
  }

  /** Resolves when the disk has caught up; `undefined` when nobody needs to wait. */
  get congestion(): Promise<void> | undefined {
    return this.#all.find((spool) => spool.congestion)?.congestion;
  }

  /** Waits until all that was spooled is on the disk. @throws what the disk had against it */
  async settled(): Promise<void> {
    for (const spool of this.#all) await spool.settled();
  }

  release(): void {
    for (const spool of this.#all) spool.release();
  }
}

/** One file on its way in: in memory while it is small, in a temporary file from then on. */
export class Spool {
  /** Bytes written so far. */
  size = 0;
  #chunks: Buffer[] = [];
  #file: WriteStream | undefined;
  #congestion: Promise<void> | undefined;
  readonly #reserve: (bytes: number) => boolean;

  constructor(reserve: (bytes: number) => boolean) {
    this.#reserve = reserve;
  }

  write(bytes: Buffer): void {
    this.size += bytes.length;
    if (!this.#file) {
      if (this.#reserve(bytes.length)) {
        this.#chunks.push(bytes);
        return;
      }
      this.#file = writeWhole(new WriteStream());
      // Without a listener a full disk would end the process; whoever waits or reads is told.
      this.#file.on('error', () => {});
      for (const chunk of this.#chunks) this.#file.write(chunk);
      this.#chunks = [];
    }
    if (!this.#file.write(bytes) && !this.#congestion) this.#congestion = this.#drained(this.#file);
  }

  end(): void {
    this.#file?.end();
  }

  get congestion(): Promise<void> | undefined {
    return this.#congestion;
  }

  /** A file that could not be written must be known before anybody reads it: its reader would wait for ever. */
  async settled(): Promise<void> {
    const file = this.#file;
    if (file?.errored) throw file.errored;
    if (file?.writableEnded && !file.writableFinished) await finished(file, { readable: false });
  }

  open(): Readable {
    if (this.#file) return this.#file.createReadStream();
    const chunks = this.#chunks;
    return new Readable({
      read() {
        for (const chunk of chunks) this.push(chunk);
        this.push(null);
      },
    });
  }

  release(): void {
    this.#chunks = [];
    this.#file?.release();
  }

  #drained(file: WriteStream): Promise<void> {
    const drained = new Promise<void>((resolve, reject) => {
      if (file.errored) return reject(file.errored);
      const settle = (error?: Error) => {
        this.#congestion = undefined;
        file.off('drain', settle).off('finish', settle).off('error', settle);
        if (error) reject(error);
        else resolve();
      };
      file.once('drain', settle).once('finish', settle).once('error', settle);
    });
    // Marked as handled: the one who waits may come only later, or never.
    drained.catch(() => {});
    return drained;
  }
}
