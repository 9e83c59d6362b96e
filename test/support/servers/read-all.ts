import type { Readable } from 'node:stream';

/**
 * All bytes of a stream. `buffer` of Node's consumers makes a Blob of them first, at several times
 * the cost.
 */
export const readAll = async (stream: Readable): Promise<Buffer> => Buffer.concat(await stream.toArray());
