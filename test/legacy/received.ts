import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Receive, ReceivedFile } from '../../src/platform/incoming-file.ts';
import { readAll } from '../support/servers/read-all.ts';

/**
 * Takes files into memory, where no blob store stands behind the door. A file's key is its content as base64.
 */
export const receiveInMemory: Receive = async (source): Promise<ReceivedFile> => {
  const bytes = await readAll(Readable.from(source));
  const sha256 = createHash('sha256').update(bytes).digest();
  return { key: bytes.toString('base64'), byteSize: bytes.length, sha256, claim() {}, release() {} };
};

/** For files of any size: only the digest is kept. */
export const receiveDigest: Receive = async (source): Promise<ReceivedFile> => {
  const hash = createHash('sha256');
  let byteSize = 0;
  for await (const chunk of source) {
    byteSize += chunk.length;
    hash.update(chunk);
  }
  return { key: '', byteSize, sha256: hash.digest(), claim() {}, release() {} };
};
