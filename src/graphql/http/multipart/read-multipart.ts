import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import {
  FieldTooLargeError,
  FileMissingError,
  InvalidJSONError,
  MissingMapError,
  MissingOperationsError,
  TooManyFilesError,
} from 'graphql-upload-ts';
import type { GraphQLParams } from 'graphql-yoga';
import { ConcurrencyLimit } from '../../../limits/concurrency-limit.ts';
import { Refusal } from '../../../platform/errors.ts';
import { mayBeCrossOrigin } from '../../../platform/http/cross-origin-request.ts';
import { IncomingFile, type Receive } from '../../../platform/incoming-file.ts';
import { httpError } from '../http-error.ts';
import { assertParsesQuickly } from '../read-body.ts';
import { anonymousBodyBytes, type ReadParams } from '../read-request.ts';
import { arriving } from './body-reader.ts';
import { type FormPart, MalformedForm, readParts } from './read-parts.ts';
import { type FilePlace, type FilePlaces, putExpectedFiles } from './upload-map.ts';

/**
 * Limits, inclusive, that protect the process. They are higher than those of the mutations, so that a client
 * normally sees the mutation's refusal.
 */
export interface UploadLimits {
  /** Bytes of `operations`, and as many of `map`. */
  readonly requestBytes: number;
  /** Number of files. */
  readonly files: number;
  /** Bytes of a whole multipart request. */
  readonly multipartBytes: number;
}

/** Limits of all multipart requests. */
export interface MultipartOptions extends UploadLimits {
  /** Forms that one user may send at a time. */
  readonly openForms: number;
}

/** Headers that Apollo's clients and others send to show that their request was preflighted. */
const preflighted = ['graphql-preflight', 'apollo-require-preflight', 'x-requested-with'];
const preflightAdvice = 'From another origin, send the header GraphQL-Preflight: 1 with a multipart request';

/**
 * Creates the reader of multipart requests. Without a credential it reads at most 192 KiB, with at most 64
 * KiB of operations and as many of the map, and stores no file.
 * @returns a function that rejects as `readMultipart` does; with GraphQLError 403 for a request that another
 *   site may have caused; and with TooMany when the user already sends `openForms` forms. Without a
 *   credential, any error of a form whose Content-Length is over the limit becomes GraphQLError 413
 */
export function createMultipartReader({ openForms, ...limits }: MultipartOptions): ReadParams {
  const places = new ConcurrencyLimit('TOO_MANY_UPLOADS', openForms);
  const strangers = { ...limits, requestBytes: anonymousBodyBytes, multipartBytes: 3 * anonymousBodyBytes };
  return async (req, res, ctx) => {
    if (mayBeCrossOrigin(req, ctx.isOwnOrigin, preflighted))
      throw httpError(403, preflightAdvice, { code: 'FORBIDDEN' });
    if (ctx.viewer !== undefined) {
      const place = places.take(ctx.viewer.userId);
      return readMultipart(req, res, ctx.receive, limits, () => place[Symbol.dispose]());
    }
    return readMultipart(req, res, undefined, strangers).catch((error: unknown) => {
      // Most of a large form from a stranger is never read, so its size is the error to report.
      const announced = Number(req.headers['content-length'] ?? 0);
      throw announced > strangers.multipartBytes ? httpError(413, 'The request is too large') : error;
    });
  };
}

/**
 * Reads a request by the GraphQL multipart request specification. Resolves with the operations when these and
 * the map have arrived; each file in their variables is an `ExpectedFile`. The files are then streamed into
 * the blob store one after the other, while the operations are executed. Parts that the map does not name are
 * skipped. A file that `receive` rejects (too large, store unavailable) has arrived all the same: it fails
 * alone, by its `IncomingFile.received`, and the next files are still stored. An error of the form after it
 * has resolved rejects the arrival of the remaining files; a file that the form lacks has its own arrival
 * rejected. Reading stops when the response is sent.
 * @param receive stores a file. Undefined without a credential: then no file is stored, and the arrival of
 *   each rejects with the Refusal UNAUTHENTICATED
 * @param over called once, when reading has ended, also after an error
 * @throws GraphQLError 400 or 413 for a form that is malformed, too large or cut off before its files begin;
 *   other faults are passed on unchanged
 */
export async function readMultipart(
  req: IncomingMessage,
  res: ServerResponse,
  receive: Receive | undefined,
  limits: UploadLimits,
  over: () => void = () => {},
): Promise<GraphQLParams> {
  const boundary = boundaryOf(req.headers['content-type'] ?? '');
  if (boundary === undefined) {
    over();
    throw httpError(400, 'The multipart request has no boundary');
  }
  const source = arriving(req, limits.multipartBytes);
  const answered = () => source.stop(httpError(400, 'The request was answered before its last byte arrived'));
  res.once('finish', answered);
  return new Promise((resolve, reject) => {
    const form = new MultipartForm(receive, limits, resolve);
    form
      .read(readParts(source, boundary))
      .catch((error: unknown) => {
        const fault = clientError(error);
        form.fail(fault);
        reject(fault);
        source.stop(fault);
      })
      .finally(() => {
        res.off('finish', answered);
        over();
      });
  });
}

class MultipartForm {
  readonly #receive: Receive | undefined;
  readonly #limits: UploadLimits;
  readonly #ready: (params: GraphQLParams) => void;
  #operations: object | undefined;
  #places: FilePlaces | undefined;
  #files = 0;

  constructor(receive: Receive | undefined, limits: UploadLimits, ready: (params: GraphQLParams) => void) {
    this.#receive = receive;
    this.#limits = limits;
    this.#ready = ready;
  }

  async read(parts: AsyncIterable<FormPart>): Promise<void> {
    for await (const part of parts) {
      if (this.#places !== undefined) await this.#file(part, this.#places);
      else if (this.#operations === undefined) await this.#readOperations(part);
      else await this.#readMap(part, this.#operations);
    }
    if (this.#operations === undefined) throw new MissingOperationsError();
    if (this.#places === undefined) throw new MissingMapError();
    if (this.#missing().length > 0) this.fail(clientError(new FileMissingError()));
  }

  /** Rejects the files that have not arrived. */
  fail(error: Error): void {
    for (const { upload } of this.#missing()) upload.reject(error);
  }

  #missing(): FilePlace[] {
    return [...(this.#places?.values() ?? [])].filter(({ upload }) => !upload.hasArrived);
  }

  async #readOperations(part: FormPart): Promise<void> {
    if (part.name !== 'operations') throw new MissingOperationsError();
    const operations = await this.#json(part);
    if (typeof operations !== 'object' || operations === null) throw new InvalidJSONError(part.name);
    if (Array.isArray(operations)) throw httpError(400, 'Batches are not supported');
    this.#operations = operations;
  }

  async #readMap(part: FormPart, operations: object): Promise<void> {
    if (part.name !== 'map') throw new MissingMapError();
    const places = putExpectedFiles(await this.#json(part), operations);
    if (places.size > this.#limits.files) throw new TooManyFilesError(this.#limits.files);
    this.#places = places;
    if (this.#receive === undefined) this.fail(new Refusal('UNAUTHENTICATED', 'Sign in to send a file'));
    this.#ready(operations as GraphQLParams);
  }

  /** Skips a file that no variable expects. */
  async #file(part: FormPart, places: FilePlaces): Promise<void> {
    if (++this.#files > this.#limits.files) throw new TooManyFilesError(this.#limits.files);
    const place = places.get(part.name);
    if (place === undefined || place.upload.hasArrived || this.#receive === undefined) return;
    const received = this.#receive(part.body, place.list).catch((error) => {
      throw clientError(error);
    });
    place.upload.fulfill(new IncomingFile(part.fileName ?? '', part.contentType ?? '', received));
    // A file that fails is reported by its command. The files after it may still be needed.
    await received.catch(() => {});
  }

  async #json({ name, body, contentType = '' }: FormPart): Promise<unknown> {
    const charset = /;\s*charset\s*=\s*"?([^;"\s]+)/i.exec(contentType)?.[1] ?? 'utf-8';
    if (!/^utf-?8$/i.test(charset)) throw httpError(400, `The field ${name} must be UTF-8`);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > this.#limits.requestBytes) throw new FieldTooLargeError(name, this.#limits.requestBytes);
      chunks.push(chunk);
    }
    const text = Buffer.concat(chunks);
    assertParsesQuickly(text);
    try {
      return JSON.parse(utf8.decode(text));
    } catch {
      throw new InvalidJSONError(name);
    }
  }
}

/** Rejects bytes that are not UTF-8. Replaced by U+FFFD, they would be stored for good. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s"]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/** A client's mistake as an HTTP error. Anything else is a fault and is returned unchanged. */
function clientError(error: unknown): Error {
  if (error instanceof GraphQLError) return error;
  if (error instanceof MalformedForm) return httpError(400, error.message);
  const { status, message } = error as { status?: unknown; message: string };
  return typeof status === 'number' ? httpError(status === 413 ? 413 : 400, message) : (error as Error);
}
