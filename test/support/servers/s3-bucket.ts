import { createHash, randomUUID } from 'node:crypto';

export interface S3Object {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly at: Date;
}
interface Part {
  readonly bytes: Buffer;
  readonly etag: string;
}
interface MultipartUpload {
  readonly key: string;
  readonly initiated: Date;
  readonly parts: Map<number, Part>;
}

export class S3Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

const digests = new WeakMap<Buffer, Buffer>();
/** Computed once for each body: it is compared with the header, and is the ETag. */
export function md5(bytes: Buffer, encoding: 'hex' | 'base64' = 'hex'): string {
  const digest = digests.get(bytes) ?? createHash('md5').update(bytes).digest();
  digests.set(bytes, digest);
  return digest.toString(encoding);
}

/**
 * What one bucket holds, by the rules of the S3 API.
 * @param leastPart fewest bytes of a part but the last
 */
export function createBucket(leastPart: number) {
  const objects = new Map<string, S3Object>();
  const uploads = new Map<string, MultipartUpload>();

  function objectOf(key: string): S3Object {
    const object = objects.get(key);
    if (object === undefined) throw new S3Refusal(404, 'NoSuchKey');
    return object;
  }
  function uploadOf(key: string, id: string): MultipartUpload {
    const upload = uploads.get(id);
    if (upload?.key !== key) throw new S3Refusal(404, 'NoSuchUpload');
    return upload;
  }
  function put(key: string, bytes: Buffer, etag = md5(bytes)): S3Object {
    const object = { bytes, etag: `"${etag}"`, at: new Date() };
    objects.set(key, object);
    return object;
  }

  return {
    objects,
    uploads,
    objectOf,
    uploadOf,
    put,
    remove: (key: string) => void objects.delete(key),
    copy: (from: string, to: string) => put(to, objectOf(from).bytes),

    begin(key: string): string {
      const id = randomUUID();
      uploads.set(id, { key, initiated: new Date(), parts: new Map() });
      return id;
    },
    putPart(key: string, id: string, number: number, bytes: Buffer): Part {
      if (!(number >= 1 && number <= 10_000)) throw new S3Refusal(400, 'InvalidArgument');
      const part = { bytes, etag: `"${md5(bytes)}"` };
      uploadOf(key, id).parts.set(number, part);
      return part;
    },
    complete(key: string, id: string, named: readonly { number: number; etag: string }[]): S3Object {
      const { parts } = uploadOf(key, id);
      if (named.length === 0) throw new S3Refusal(400, 'MalformedXML');
      const chosen = named.map(({ number, etag }, at) => {
        if (at > 0 && number <= named[at - 1]!.number) throw new S3Refusal(400, 'InvalidPartOrder');
        const part = parts.get(number);
        if (part === undefined || part.etag !== etag) throw new S3Refusal(400, 'InvalidPart');
        if (part.bytes.length < leastPart && at < named.length - 1)
          throw new S3Refusal(400, 'EntityTooSmall');
        return part;
      });
      uploads.delete(id);
      const digests = Buffer.concat(chosen.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')));
      return put(key, Buffer.concat(chosen.map(({ bytes }) => bytes)), `${md5(digests)}-${chosen.length}`);
    },
    abort(key: string, id: string): void {
      uploadOf(key, id);
      uploads.delete(id);
    },
    list(prefix: string, after: string, max: number) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
      return { keys: keys.slice(0, max), more: keys.length > max };
    },
    listUploads(prefix: string) {
      return [...uploads].filter(([, { key }]) => key.startsWith(prefix));
    },
  };
}
