import { pipeline, type Readable, Transform } from 'node:stream';
import type { FileUpload, Upload } from 'graphql-upload-ts';
import { IncomingFile } from '../upload.ts';
import { writeWhole } from '../whole-writes.ts';

/** How much of a file may have arrived and not been read, bytes. It lies in a temporary file. */
const unreadBytes = 8 * 1024 * 1024;
/** How long a sender is held whose file nobody reads, milliseconds: its reader may be about to come, or an answer to whoever gave up. */
const patienceMs = 2000;

/** One for each part, however many variables name it: what has arrived and was not read is counted once. */
const known = new WeakMap<Upload, Promise<IncomingFile>>();

/** The file once its part begins to arrive. Failure is told to whoever waits. */
export function incomingFile(upload: Upload): Promise<IncomingFile> {
  let file = known.get(upload);
  if (file === undefined) {
    file = upload.promise.then((arriving) => {
      const open = holdBack(arriving);
      return new IncomingFile(arriving.filename, arriving.mimetype, open);
    });
    // When nobody waits any more, or not yet, it must not end the process.
    file.catch(() => {});
    known.set(upload, file);
  }
  return file;
}

/**
 * Holds a file's sender back who is far ahead of its reader. That a file is too large is known when its reader comes to that byte: a fast
 * sender filled the disk meanwhile, and reached the door's cap, where the connection is cut and nothing is said. What nobody reads is
 * let go after a while: the file that its reader waits for may come behind it.
 * @returns opens the file for reading
 */
function holdBack(file: FileUpload): () => Readable {
  const capacitor = writeWhole(file.capacitor);
  const write = capacitor.write as (chunk: Buffer) => boolean;
  let unread = 0;
  let held = false;
  let reading = false;
  let waited = false;
  let patience: NodeJS.Timeout | undefined;
  const letGo = () => {
    if (held) capacitor.uncork();
    held = false;
  };
  const waitForReader = () => {
    patience = setTimeout(() => {
      waited = true;
      letGo();
    }, patienceMs).unref();
  };
  const counting = (chunk: Buffer) => {
    unread += chunk.length;
    if (unread > unreadBytes && !held && (reading || !waited)) {
      held = true;
      capacitor.cork();
      if (!reading) waitForReader();
    }
    return write.call(capacitor, chunk);
  };
  // The stream's own count of what it took is private.
  Object.assign(capacitor, { write: counting });

  return () => {
    const source = file.createReadStream();
    reading = true;
    waited = false;
    clearTimeout(patience);
    const counted = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        unread -= chunk.length;
        if (unread <= unreadBytes / 2) letGo();
        done(null, chunk);
      },
    });
    // A disk that is full ends the writing and not the reading, which would wait for more.
    const fail = (error: Error) => source.destroy(error);
    if (capacitor.errored) fail(capacitor.errored);
    else capacitor.once('error', fail);
    return pipeline(source, counted, () => {
      capacitor.off('error', fail);
      reading = false;
      if (source.readableEnded) letGo();
      else waitForReader();
    });
  };
}
