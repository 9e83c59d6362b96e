import { createHash } from 'node:crypto';
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
import type { S3Place } from '../../settings/blobs-url.ts';
import { StoreUnavailable } from '../blob-store.ts';

/** Size of a part but the last, in bytes: the minimum that S3 accepts. Ten thousand parts make 48 GiB. */
const smallestPartBytes = 5 * 1024 * 1024;

/** Timeouts, retries and sizes of requests to S3. */
export interface S3RequestOptions {
  /** Timeout of one request until its response begins, milliseconds; it includes sending at most one part. */
  readonly answerWithinMs?: number;
  /** How long a reader waits for the next bytes, milliseconds. */
  readonly bytesWithinMs?: number;
  /** Most attempts of one request, 3 by default. */
  readonly attempts?: number;
  /** Size of each part of a multipart upload but the last, bytes. */
  readonly partBytes?: number;
}

/** An object in a listing. */
export interface ObjectEntry {
  readonly name: string;
  /** When it was last modified. */
  readonly at: Date;
}
/** A multipart upload in a listing, which has not been completed or aborted. */
export interface UploadEntry extends ObjectEntry {
  readonly uploadId: string;
}
/** A part of a multipart upload that S3 has stored. */
export interface UploadedPart {
  readonly number: number;
  readonly etag: string;
}
/** The requests to S3 that the store uses. */
export type S3Objects = ReturnType<typeof createS3Objects>;

/** The object or upload does not exist. */
export class S3Missing extends Error {}

/**
 * Reads and writes objects by their names under the prefix. Each request has a timeout and is retried a few
 * times by the client. Bytes are sent with their MD5, which every S3-compatible service verifies. A final
 * failure throws StoreUnavailable or S3Missing.
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
    },
  });
  const at = (name: string) => ({ Bucket: bucket, Key: prefix + name });
  const carrying = (bytes: Buffer) => ({
    Body: bytes,
    ContentLength: bytes.length,
    ContentMD5: createHash('md5').update(bytes).digest('base64'),
  });
  const sent = <T>(answer: Promise<T>): Promise<T> =>
    answer.catch((error) => {
      throw asFault(error);
    });

  return {
    client,
    partBytes,
    addressOf: at,
    async put(name: string, bytes: Buffer): Promise<void> {
      await sent(client.send(new PutObjectCommand({ ...at(name), ...carrying(bytes) })));
    },
    /** @param range as in HTTP, both ends included; without an end, up to the object's end */
    async get(name: string, range?: { start: number; end?: number | undefined }): Promise<Readable> {
      const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end ?? ''}`;
      const { Body } = await sent(client.send(new GetObjectCommand({ ...at(name), Range })));
      return Body as Readable;
    },
    async sizeOf(name: string): Promise<number> {
      return (await sent(client.send(new HeadObjectCommand(at(name))))).ContentLength ?? 0;
    },
    async remove(name: string): Promise<void> {
      await sent(client.send(new DeleteObjectCommand(at(name))));
    },
    async copy(from: string, to: string): Promise<void> {
      const source = `${bucket}/${prefix}${from}`.split('/').map(encodeURIComponent).join('/');
      await sent(client.send(new CopyObjectCommand({ ...at(to), CopySource: source })));
    },

    async begin(name: string): Promise<string> {
      return (await sent(client.send(new CreateMultipartUploadCommand(at(name))))).UploadId!;
    },
    async putPart(name: string, UploadId: string, number: number, bytes: Buffer): Promise<UploadedPart> {
      const part = { ...at(name), UploadId, PartNumber: number, ...carrying(bytes) };
      const { ETag } = await sent(client.send(new UploadPartCommand(part)));
      return { number, etag: ETag! };
    },
    async complete(name: string, UploadId: string, parts: readonly UploadedPart[]): Promise<void> {
      const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
      const upload = { ...at(name), UploadId, MultipartUpload: { Parts } };
      await sent(client.send(new CompleteMultipartUploadCommand(upload)));
    },
    async abort(name: string, UploadId: string): Promise<void> {
      await sent(client.send(new AbortMultipartUploadCommand({ ...at(name), UploadId }))).catch(
        unlessMissing,
      );
    },

    /** Names after `after`, in order. */
    async *list(under: string, after = ''): AsyncGenerator<ObjectEntry> {
      const all = { Bucket: bucket, Prefix: prefix + under, StartAfter: prefix + under + after };
      for (let ContinuationToken: string | undefined; ; ) {
        const page = await sent(client.send(new ListObjectsV2Command({ ...all, ContinuationToken })));
        for (const { Key, LastModified } of page.Contents ?? [])
          yield { name: Key!.slice(prefix.length + under.length), at: LastModified! };
        if (!page.IsTruncated) return;
        ContinuationToken = page.NextContinuationToken;
      }
    },
    /** Multipart uploads that are neither completed nor aborted. */
    async *listUploads(under: string): AsyncGenerator<UploadEntry> {
      for (let markers = {}; ; ) {
        const asked = { Bucket: bucket, Prefix: prefix + under, ...markers };
        const page = await sent(client.send(new ListMultipartUploadsCommand(asked)));
        for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
          yield { name: Key!.slice(prefix.length + under.length), uploadId: UploadId!, at: Initiated! };
        if (!page.IsTruncated) return;
        markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
      }
    },
  };
}

function asFault(error: unknown): Error {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'NoSuchKey' || name === 'NoSuchUpload' || name === 'NotFound') return new S3Missing(name);
  // A missing bucket answers 404 as well, and is not a missing blob.
  if ($metadata?.httpStatusCode === 404 && name !== 'NoSuchBucket') return new S3Missing(name);
  return new StoreUnavailable(error);
}

/** For `catch`: turns S3Missing into undefined, and throws any other error. */
export function unlessMissing(error: unknown): undefined {
  if (error instanceof S3Missing) return undefined;
  throw error;
}
