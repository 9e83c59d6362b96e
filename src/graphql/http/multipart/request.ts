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
import { Places } from '../../../limits/places.ts';
import { Refusal } from '../../../platform/errors.ts';
import { IncomingFile, type Receive } from '../../../platform/incoming-file.ts';
import { assertPreflighted } from '../preflight.ts';
import { assertMeasured } from '../read-body.ts';
import { type ReadParams, strangersBytes } from '../read-request.ts';
import { httpError } from '../request-error.ts';
import { arriving } from './arriving.ts';
import { type FilePlace, type FilePlaces, placesOf } from './map.ts';
import { type FormPart, MalformedForm, readParts } from './parts.ts';

/**
 * Caps of the door, in bytes: they protect the process and exceed the command's, so that its refusal is the
 * one seen.
 */
export interface UploadLimits {
  readonly requestBytes: number;
  readonly files: number;
  /** All of a multipart request. */
  readonly multipartBytes: number;
}

export interface MultipartOptions extends UploadLimits {
  /** Of one user, being sent at a time. */
  readonly openForms: number;
}

/** Of a stranger, no byte of a file is stored, and no more is read than tells what is asked. */
export function createMultipartReader({ openForms, ...limits }: MultipartOptions): ReadParams {
  const places = new Places('TOO_MANY_UPLOADS', openForms);
  const strangers = { ...limits, requestBytes: strangersBytes, multipartBytes: 3 * strangersBytes };
  return async (req, res, ctx) => {
    assertPreflighted(req, ctx.origin);
    if (ctx.viewer !== undefined) {
      const place = places.take(ctx.viewer.userId);
      return readMultipart(req, res, ctx.receive, limits, () => place[Symbol.dispose]());
    }
    return readMultipart(req, res, undefined, strangers).catch((error: unknown) => {
      // Whatever is wrong with what was read of it, most of it is not read.
      const announced = Number(req.headers['content-length'] ?? 0);
      throw announced > strangers.multipartBytes ? httpError(413, 'The request is too large') : error;
    });
  };
}

/**
 * Reads a request by the GraphQL multipart request specification. Resolves when its operations and map are
 * there; its files go on arriving, each straight into the blob store, while the operations are executed. Of a
 * stranger no byte of a file is stored.
 * @param receive undefined: nobody is signed in
 * @param over called when nothing of it is read any more
 * @throws GraphQLError 400 or 413
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
  const answered = () => source.stop(httpError(400, 'The request was answered before its last byte came'));
  res.once('finish', answered);
  return new Promise((resolve, reject) => {
    const form = new MultipartForm(receive, limits, resolve);
    form
      .read(readParts(source, boundary))
      .catch((error: unknown) => {
        const told = clientError(error);
        form.fail(told);
        reject(told);
        source.stop(told);
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

  /** Tells whoever waits for a file that has not come. */
  fail(error: Error): void {
    for (const { upload } of this.#missing()) upload.reject(error);
  }

  #missing(): FilePlace[] {
    return [...(this.#places?.values() ?? [])].filter(({ upload }) => upload.file === undefined);
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
    const places = placesOf(await this.#json(part), operations);
    if (places.size > this.#limits.files) throw new TooManyFilesError(this.#limits.files);
    this.#places = places;
    if (this.#receive === undefined) this.fail(new Refusal('UNAUTHENTICATED', 'Sign in to send a file'));
    this.#ready(operations as GraphQLParams);
  }

  /** What no variable asks for is passed over. */
  async #file(part: FormPart, places: FilePlaces): Promise<void> {
    if (++this.#files > this.#limits.files) throw new TooManyFilesError(this.#limits.files);
    const place = places.get(part.name);
    if (place === undefined || place.upload.file !== undefined || this.#receive === undefined) return;
    const received = this.#receive(part.body, place.list).catch((error) => {
      throw clientError(error);
    });
    place.upload.bring(new IncomingFile(part.fileName ?? '', part.contentType ?? '', received));
    // A file that is refused or cannot be written is its command's matter; the files behind it may still be
    // asked for.
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
    assertMeasured(text);
    try {
      return JSON.parse(utf8.decode(text));
    } catch {
      throw new InvalidJSONError(name);
    }
  }
}

/** Bytes that are no UTF-8 are refused: replaced by U+FFFD they would be stored for good. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function boundaryOf(contentType: string): string | undefined {
  const match = /;\s*boundary\s*=\s*(?:"([^"]{1,200})"|([^;\s"]{1,200}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/** What a client did wrong, by status; anything else is a fault and stays what it is. */
function clientError(error: unknown): Error {
  if (error instanceof GraphQLError) return error;
  if (error instanceof MalformedForm) return httpError(400, error.message);
  const { status, message } = error as { status?: unknown; message: string };
  return typeof status === 'number' ? httpError(status === 413 ? 413 : 400, message) : (error as Error);
}
