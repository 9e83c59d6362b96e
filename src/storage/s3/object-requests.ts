import { createHash } from 'node:crypto';
import { addAbortListener } from 'node:events';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { S3Place } from '../../settings/blobs-url.ts';
import { type PresignOptions, StoreUnavailable } from '../blob-store.ts';
import { boundAnswers, readWithin } from './bounded-answers.ts';
import { createPatience } from './patience.ts';

/** Size of a part but the last, in bytes: the minimum that S3 accepts. Ten thousand parts make 48 GiB. */
const smallestPartBytes = 5 * 1024 * 1024;

/** Timeouts, retries and sizes of requests to S3. */
export interface S3RequestOptions {
  /**
   * Timeout of one attempt, milliseconds, 30,000 by default. It includes connecting, which has 5 s of it at
   * most, sending at most one part, and the whole response except an object's bytes. All attempts of a
   * request together have twice as long, whatever `attempts` is.
   */
  readonly answerWithinMs?: number;
  /** How long a reader waits for the next 32 KiB of an object, milliseconds, 30,000 by default. */
  readonly bytesWithinMs?: number;
  /** Most attempts of one request, 3 by default. */
  readonly attempts?: number;
  /** Size of each part of a multipart upload but the last, bytes; 5 MiB, the minimum of S3, by default. */
  readonly partBytes?: number;
}

const unbounded = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };

/** An object in a listing. */
export interface ObjectEntry {
  /** Without the folder that was listed. */
  readonly name: string;
  /** When it was last modified. */
  readonly at: Date;
}
/** A multipart upload in a listing, which has not been completed or aborted. `at` is when it was begun. */
export interface UploadEntry extends ObjectEntry {
  readonly uploadId: string;
}
/** A part of a multipart upload that S3 has stored. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
}
/** The requests to S3 that the store uses; see `createS3Objects`. */
export type S3Objects = ReturnType<typeof createS3Objects>;

interface GetOptions {
  readonly range?: { readonly start: number; readonly end?: number | undefined } | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The object or upload does not exist. */
export class S3Missing extends Error {}

/**
 * Creates the requests for objects, by their names under the prefix. Each request has a timeout, and the
 * client retries it, with three attempts in all by default. Bytes are sent with their MD5, which every
 * S3-compatible service verifies. A final failure rejects with S3Missing if there is no such object or
 * upload, and otherwise with StoreUnavailable; the stream of `get` fails with its own errors.
 * @returns requests for objects: `put`, `get` (a stream), `getWhole` (a small one, as a Buffer), `sizeOf`,
 *   `remove`, `copy`, `presign` and `list`, which goes through the names under a folder in order; for
 *   multipart uploads: `begin`, `putPart`, `complete`, `abort` and `listUploads`, which goes through the
 *   unfinished ones. Removing or aborting what does not exist is not an error. Also `partBytes`, and
 *   `patience`, which can shorten all waits
 */
export function createS3Objects(
  { bucket, prefix, endpoint, region, pathStyle }: S3Place,
  { answerWithinMs = 30_000, attempts = 3, partBytes = smallestPartBytes }: S3RequestOptions,
) {
  const client = new S3Client({
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: pathStyle,
    maxAttempts: attempts,
    // The client's newer checksums are unknown to older compatible services; MD5 is supported by all.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: Math.min(5000, answerWithinMs),
      requestTimeout: answerWithinMs,
      throwOnRequestTimeout: true,
      // Each slow download holds a connection. With the client's usual 50, as many downloads would keep
      // everybody else from the store.
      httpAgent: unbounded,
      httpsAgent: unbounded,
    },
  });
  const patience = createPatience();
  boundAnswers(client, answerWithinMs, patience);
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const carrying = (bytes: Buffer) => ({
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: createHash('md5').update(bytes).digest('base64'),
  });
  /**
   * The client bounds an attempt, but neither its attempts together nor its search for credentials.
   * @param signal ends the request; the promise rejects with its reason
   */
  async function sent<T>(
    send: (options: { abortSignal: AbortSignal }) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const ending = new AbortController();
    const { promise: over, reject } = Promise.withResolvers<never>();
    const end = (why: unknown) => {
      reject(why);
      ending.abort();
    };
    const stop = patience.wait(2 * answerWithinMs, () => end(new Error('no answer in time')));
    const leaving = signal && addAbortListener(signal, () => end(signal.reason));
    try {
      return await Promise.race([send({ abortSignal: ending.signal }), over]);
    } catch (error) {
      throw signal?.aborted ? signal.reason : asFault(error);
    } finally {
      stop();
      leaving?.[Symbol.dispose]();
    }
  }

  return {
    partBytes,
    patience,
    /** Signs a request for an object, which the client sends to S3 itself. */
    presign: (name: string, { expiresInSeconds, disposition, contentType }: PresignOptions) =>
      sent(() =>
        getSignedUrl(
          client,
          new GetObjectCommand({
            ...at(name),
            ResponseContentDisposition: disposition,
            ResponseContentType: contentType,
          }),
          { expiresIn: expiresInSeconds },
        ),
      ),
    async put(name: string, bytes: Buffer): Promise<void> {
      const command = new PutObjectCommand({ ...at(name), ...carrying(bytes) });
      ofS3((await sent((bounds) => client.send(command, bounds))).ETag);
    },
    /**
     * @param options `range`: as in HTTP, both ends included; without an end, up to the object's end.
     *   `signal`: ends the request until it is answered, not the stream
     */
    async get(name: string, { range, signal }: GetOptions = {}): Promise<Readable> {
      const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end ?? ''}`;
      const command = new GetObjectCommand({ ...at(name), Range });
      const { Body, ContentRange, ETag } = await sent(async (bounds) => {
        const answer = await client.send(command, bounds);
        // Nobody waits for it any more, and nobody else would close it.
        if (bounds.abortSignal.aborted) (answer.Body as Readable).destroy();
        return answer;
      }, signal);
      const body = Body as Readable;
      if (ETag !== undefined && isRange(ContentRange, range)) return body;
      body.destroy();
      ofS3(ETag);
      throw new StoreUnavailable(new Error(`${Range} was asked for, and ${ContentRange} answered`));
    },
    /** A small object, with as much time for its bytes as for an attempt. */
    async getWhole(name: string): Promise<Buffer> {
      return readWithin(await this.get(name), answerWithinMs, patience).catch((error) => {
        throw new StoreUnavailable(error);
      });
    },
    async sizeOf(name: string): Promise<number> {
      const command = new HeadObjectCommand(at(name));
      const { ContentLength, ETag } = await sent((bounds) => client.send(command, bounds));
      ofS3(ETag);
      return ofS3(ContentLength);
    },
    async remove(name: string): Promise<void> {
      await sent((bounds) => client.send(new DeleteObjectCommand(at(name)), bounds));
    },
    async copy(from: string, to: string): Promise<void> {
      const source = `${bucket}/${prefix}${from}`.split('/').map(encodeURIComponent).join('/');
      const command = new CopyObjectCommand({ ...at(to), CopySource: source });
      ofS3((await sent((bounds) => client.send(command, bounds))).CopyObjectResult?.ETag);
    },

    async begin(name: string): Promise<string> {
      const command = new CreateMultipartUploadCommand(at(name));
      return ofS3((await sent((bounds) => client.send(command, bounds))).UploadId);
    },
    async putPart(name: string, UploadId: string, number: number, bytes: Buffer): Promise<UploadedPart> {
      const part = { ...at(name), UploadId, PartNumber: number, ...carrying(bytes) };
      const { ETag } = await sent((bounds) => client.send(new UploadPartCommand(part), bounds));
      return { number, etag: ofS3(ETag) };
    },
    async complete(name: string, UploadId: string, parts: readonly UploadedPart[]): Promise<void> {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
      const upload = { ...at(name), UploadId, MultipartUpload: { Parts } };
      const command = new CompleteMultipartUploadCommand(upload);
      ofS3((await sent((bounds) => client.send(command, bounds))).ETag);
    },
    async abort(name: string, UploadId: string): Promise<void> {
      await sent((bounds) =>
        client.send(new AbortMultipartUploadCommand({ ...at(name), UploadId }), bounds),
      ).catch(unlessMissing);
    },

    /** Names after `after`, in order. */
    async *list(under: string, after = ''): AsyncGenerator<ObjectEntry> {
      const all = { Bucket: bucket, Prefix: prefix + under, StartAfter: prefix + under + after };
      for (let ContinuationToken: string | undefined; ; ) {
        const page = await sent((bounds) =>
          client.send(new ListObjectsV2Command({ ...all, ContinuationToken }), bounds),
        );
        for (const { Key, LastModified } of page.Contents ?? [])
          yield { name: Key!.slice(prefix.length + under.length), at: LastModified! };
        if (!page.IsTruncated) return;
        ContinuationToken = further(page.NextContinuationToken, ContinuationToken);
      }
    },
    /** Multipart uploads that are neither completed nor aborted. */
    async *listUploads(under: string): AsyncGenerator<UploadEntry> {
      for (let KeyMarker: string | undefined, UploadIdMarker: string | undefined; ; ) {
        const asked = { Bucket: bucket, Prefix: prefix + under, KeyMarker, UploadIdMarker };
        const page = await sent((bounds) => client.send(new ListMultipartUploadsCommand(asked), bounds));
        for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
          yield { name: Key!.slice(prefix.length + under.length), uploadId: UploadId!, at: Initiated! };
        if (!page.IsTruncated) return;
        further(`${page.NextKeyMarker}/${page.NextUploadIdMarker}`, `${KeyMarker}/${UploadIdMarker}`);
        KeyMarker = page.NextKeyMarker;
        UploadIdMarker = page.NextUploadIdMarker;
      }
    },
  };
}

/**
 * What each response of S3 has. A proxy may answer 200 with a page of its own, after which nothing is stored.
 * @throws StoreUnavailable when it is missing
 */
function ofS3<T>(part: T | undefined): T {
  if (part === undefined) throw new StoreUnavailable(new Error('the response is not one of S3'));
  return part;
}

/**
 * The place at which a list goes on. Some services say that there is more and not where, or name the place
 * where the last page began: such a list would never end.
 * @throws StoreUnavailable
 */
function further(place: string | undefined, before: string | undefined): string {
  if (place !== undefined && place !== before) return place;
  throw new StoreUnavailable(new Error('there is more in the list, but not after what was listed'));
}

/** Services and proxies may ignore a range, and answer with the whole object. */
const isRange = (answered: string | undefined, asked: { start: number } | undefined): boolean =>
  asked === undefined || answered?.startsWith(`bytes ${asked.start}-`) === true;

function asFault(error: unknown): Error {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'NoSuchKey' || name === 'NoSuchUpload' || name === 'NotFound') return new S3Missing(name);
  // A missing bucket answers 404 as well, and is not a missing blob.
  if ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket') return new S3Missing(name);
  return new StoreUnavailable(error);
}

/** For `catch`: returns undefined for S3Missing, and rethrows any other error. */
export function unlessMissing(error: unknown): undefined {
  if (error instanceof S3Missing) return undefined;
  throw error;
}
