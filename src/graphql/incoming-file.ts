import { pipeline, type Readable, Transform } from 'node:stream';
import type { FileUpload, Upload } from 'graphql-upload-ts';
import { IncomingFile } from '../upload.ts';

/** How much of a file may have arrived and not been read, bytes. It lies in a temporary file. */
const aheadBytes = 8 * 1024 * 1024;
/** How long the rest of a file is waited with whose reader gave up, milliseconds: the answer is about to say so. */
const answerMs = 1000;

/** The file once its part begins to arrive. Failure is told to whoever waits; unwatched, it must not end the process. */
export async function incomingFile(upload: Upload): Promise<IncomingFile> {
  const file = await upload.promise;
  return new IncomingFile(file.filename, file.mimetype, () => readAsItArrives(file));
}

/**
 * Reads a file, and holds its sender back who is far ahead. That a file is too large is known when its reader comes to that byte: a fast
 * sender filled the disk meanwhile, and reached the door's cap, where the connection is cut and nothing is said. Only what is being
 * read is held: a file that comes before the one that its reader waits for has to pass.
 */
function readAsItArrives(file: FileUpload): Readable {
  const { capacitor } = file;
  const source = file.createReadStream();
  const write = capacitor.write as (chunk: Buffer) => boolean;
  let ahead = 0;
  let held = false;
  const letGo = () => {
    if (!held) return;
    held = false;
    capacitor.uncork();
  };
  // The stream's own count of what it took is private.
  const counting = (chunk: Buffer) => {
    ahead += chunk.length;
    if (ahead > aheadBytes && !held) {
      held = true;
      capacitor.cork();
    }
    return write.call(capacitor, chunk);
  };
  Object.assign(capacitor, { write: counting });
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      ahead -= chunk.length;
      if (ahead <= aheadBytes / 2) letGo();
      done(null, chunk);
    },
  });
  const leave = () => {
    ahead = Number.NEGATIVE_INFINITY;
    letGo();
  };
  return pipeline(source, counted, () => {
    if (source.readableEnded) leave();
    else setTimeout(leave, answerMs).unref();
  });
}
