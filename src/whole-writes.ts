import { write } from 'node:fs';
import type { Writable } from 'node:stream';

/** The stream in which graphql-upload-ts keeps what comes in until it is read. */
interface TemporaryFile extends Writable {
  /** Null until it is open, and once it is closed. */
  _fd: number | null;
}

/**
 * Makes a new temporary file of graphql-upload-ts 2.2.0 write whole pieces. A disk that becomes full takes a part of one and says how much of
 * it; the library takes that for the whole: the file has a hole then, or its reader looks for its end for ever.
 */
export function writeWhole<File extends TemporaryFile>(file: File): File {
  // What is open may have been written to, and nobody but the library knows how far.
  if (file._fd !== null) return file;
  let position = 0;
  file._write = (chunk: Buffer, encoding, done) => {
    if (file._fd === null) {
      file.once('ready', () => file._write(chunk, encoding, done));
      return;
    }
    writeFrom(0);

    function writeFrom(offset: number): void {
      if (file._fd === null) return done(new Error('The temporary file was closed'));
      write(file._fd, chunk, offset, chunk.length - offset, position, (error, written) => {
        if (error) return done(error);
        position += written;
        if (offset + written < chunk.length) return writeFrom(offset + written);
        // Readers wait for it.
        file.emit('write');
        done();
      });
    }
  };
  return file;
}
