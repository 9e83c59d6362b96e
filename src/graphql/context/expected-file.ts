import type { IncomingFile } from '../../platform/incoming-file.ts';

/** A value of the scalar Upload. It takes the place of a file in the variables until its part arrives. */
export class ExpectedFile {
  /**
   * For the errors of graphql-js. Where the schema wants an object, they name the members of what is there
   * instead.
   */
  readonly 'a file' = true;
  readonly #arrival = Promise.withResolvers<IncomingFile>();
  #hasArrived = false;

  constructor() {
    // A document need not read each of its files.
    this.#arrival.promise.catch(() => {});
  }

  /**
   * Resolves when the part begins to arrive; its bytes may still be on their way. Rejects with the error
   * given to `reject`, for example when the request ends without the part. It need not be awaited.
   */
  get arrival(): Promise<IncomingFile> {
    return this.#arrival.promise;
  }

  /** Whether its part has begun to arrive. */
  get hasArrived(): boolean {
    return this.#hasArrived;
  }

  /** Resolves `arrival`, unless it was rejected. */
  fulfill(file: IncomingFile): void {
    this.#hasArrived = true;
    this.#arrival.resolve(file);
  }

  /** Rejects `arrival`, unless the part has begun to arrive. */
  reject(error: Error): void {
    this.#arrival.reject(error);
  }

  /** Shown by graphql-js in the error of a variable of another type. */
  toJSON(): string {
    return 'a file of the request';
  }
}
