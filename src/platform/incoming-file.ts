/** Bytes of a file of this request. They are durable in the blob store, under a key that no row names yet. */
export interface Received {
  readonly key: string;
  readonly byteSize: number;
  readonly sha256: Buffer;
  /**
   * Takes the bytes over, before a statement names them. What nobody has claimed when the request is over is
   * removed.
   * @throws RequestOver when that has happened
   */
  claim(): void;
  /**
   * Takes a claim back: the statement named nothing. After a fault nobody knows, so the bytes are left to the
   * collector.
   */
  release(): void;
}

/**
 * The caller went away, or was answered, before its file was taken over: nothing may refer to the file any
 * more.
 */
export class RequestOver extends Error {
  constructor() {
    super('The request was over before its file was stored');
    this.name = 'RequestOver';
  }
}

/**
 * Takes a file of this request into the blob store: each byte is written once, counted and hashed on its way.
 * Every door has this port in its request's context, so that no door keeps a file anywhere else.
 * @param source is read no faster than the store writes, and is left where it stands when the store gives up
 * @param list which list of the request the file belongs to; the files of one list share the limit of a
 * message
 * @throws BlobTooLarge at the first byte too many, whether of this file or of all files of its list
 */
export type Receive = (source: AsyncIterable<Buffer>, list: string) => Promise<Received>;

/** A file on its way in, not yet ours: named by its sender. */
export class IncomingFile {
  readonly fileName: string;
  /** The sender's word for it, with parameters; not to be believed. */
  readonly contentType: string;
  readonly received: Promise<Received>;

  constructor(fileName: string, contentType: string, received: Promise<Received>) {
    this.fileName = fileName;
    this.contentType = contentType;
    this.received = received;
    // Whether anybody waits for it is the command's matter; unheard, a failure would end the process.
    received.catch(() => {});
  }
}

/** The media type of a Content-Type header, without its parameters: `text/plain`, in lower case. */
export const essenceOf = (contentType = ''): string => contentType.split(';', 1)[0]!.trim().toLowerCase();
