import { type FileUpload, Upload } from 'graphql-upload-ts';
import type { IncomingFile } from '../../platform/incoming-file.ts';

/** A value of type Upload: takes the place of a file in the variables until its part arrives. */
export class ExpectedFile extends Upload {
  /** Resolves when the part begins to arrive; its bytes may still be on their way. */
  get arrival(): Promise<IncomingFile> {
    return this.promise as Promise<unknown> as Promise<IncomingFile>;
  }

  /**
   * Resolves `arrival`. The library's type describes files on disk, and ours are in the blob store, hence the
   * cast.
   */
  fulfill(file: IncomingFile): void {
    this.resolve(file as unknown as FileUpload);
  }

  /** Shown by graphql-js in the error of a variable of another type. */
  toJSON(): string {
    return 'a file of the request';
  }
}
