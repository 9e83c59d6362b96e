import type { Readable } from 'node:stream';

/** A file on its way in, not yet ours: named by its sender, read once. */
export class IncomingFile {
  readonly fileName: string;
  /** The sender's word for it; not to be believed. */
  readonly contentType: string;
  readonly #open: () => Readable;

  constructor(fileName: string, contentType: string, open: () => Readable) {
    this.fileName = fileName;
    this.contentType = contentType;
    this.#open = open;
  }

  open(): Readable {
    return this.#open();
  }
}
