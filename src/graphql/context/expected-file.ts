import { type FileUpload, Upload } from 'graphql-upload-ts';
import type { IncomingFile } from '../../platform/incoming-file.ts';

/** What stands in the variables for a file until its part arrives. */
export class ExpectedFile extends Upload {
  /** Resolves when the part begins to arrive; its bytes may still be on their way. */
  get arrival(): Promise<IncomingFile> {
    return this.promise as Promise<unknown> as Promise<IncomingFile>;
  }

  /** The library's own files have a temporary file behind them; ours are in the blob store, so its type cannot name them. */
  bring(file: IncomingFile): void {
    this.resolve(file as unknown as FileUpload);
  }

  /** As graphql-js shows it in the error of a variable of another type. */
  toJSON(): string {
    return 'a file of the request';
  }
}
