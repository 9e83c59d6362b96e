/** A file of this request, durable in the blob store under a key that no row refers to yet. */
export interface ReceivedFile {
  /** Key of the blob. */
  readonly key: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
  /**
   * Must be called before a statement refers to the bytes, once for each attachment that they become. Bytes
   * without a claim are removed when the request ends.
   * @throws RequestOver when they have been removed
   */
  claim(): void;
  /**
   * Undoes one `claim`. Call it only when the statement certainly wrote no row that refers to the bytes.
   * After a fault that is uncertain, so the claim stays, and the garbage collector removes the bytes if they
   * are unused.
   */
  release(): void;
}

/** The request ended before its file was stored or claimed. Nothing may refer to the file. */
export class RequestOver extends Error {
  constructor() {
    super('The request ended before its file was stored');
    this.name = 'RequestOver';
  }
}

/**
 * Streams a file of this request into the blob store. Each byte is written once, and counted and hashed on
 * the way. The context of every request has this function, so that no route stores files in any other way.
 * @param source is read no faster than the store writes, and is abandoned when the store fails
 * @param list the list of the request that the file belongs to; the files of a list share a message's limit
 * @throws BlobTooLarge at the first byte above the limit of this file or of its list
 * @throws RequestOver when the request ends before the file is stored
 * @throws StoreUnavailable when the store is full or does not answer, or the error of the source or of a
 *   broken disk
 */
export type Receive = (source: AsyncIterable<Buffer>, list: string) => Promise<ReceivedFile>;

/** A file that is being received, with the names that its sender gave. */
export class IncomingFile {
  readonly fileName: string;
  /** As declared by the sender, with parameters; not trustworthy. */
  readonly contentType: string;
  /** Resolves when the file is stored, and rejects as `Receive` does. It need not be awaited. */
  readonly received: Promise<ReceivedFile>;

  constructor(fileName: string, contentType: string, received: Promise<ReceivedFile>) {
    this.fileName = fileName;
    this.contentType = contentType;
    this.received = received;
    // A command may never await it. An unhandled rejection would end the process.
    received.catch(() => {});
  }
}

/**
 * The media type of a Content-Type header, without its parameters: `text/plain`, in lower case. Empty if
 * there is none.
 */
export const essenceOf = (contentType = ''): string => contentType.split(';', 1)[0]!.trim().toLowerCase();
