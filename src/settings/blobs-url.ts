import { fileURLToPath } from 'node:url';

/** A bucket of S3 or a compatible service, and the prefix of the desk's files in it. */
export interface S3Place {
  readonly bucket: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  /** URL of a service other than Amazon's; undefined: Amazon's. */
  readonly endpoint: string | undefined;
  readonly region: string;
  /** Whether the bucket's name is in the path instead of the host name. */
  readonly pathStyle: boolean;
  /** Whether downloads are redirected to presigned S3 URLs. */
  readonly presign: boolean;
}

/** Where blobs are stored: in a folder of a disk, by its absolute path, or in a bucket. */
export type BlobPlace =
  | { readonly kind: 'file'; readonly directory: string }
  | ({ readonly kind: 's3' } & S3Place);

const nul = 'must not contain %00';
const parameters = ['endpoint', 'region', 'pathStyle', 'presign'];

/**
 * Parses BLOBS_URL: `file:///absolute/path` or `s3://bucket/prefix?endpoint=…&region=…`, with `pathStyle` and
 * `presign` as further parameters, 0 or 1. With an endpoint, the defaults are the region `us-east-1` and
 * `pathStyle` 1. Without one, a region is required, and `pathStyle` is 0 by default. `presign` is 0 by
 * default. Nothing is contacted.
 * @throws Error whose message completes a sentence that begins with the setting's name; for a wrong percent
 *   escape, the URIError of Node, whose message does not
 */
export function readBlobsUrl(text: string): BlobPlace {
  if (/^file:/i.test(text)) return readFileUrl(text);
  if (/^s3:\/\//i.test(text) && URL.canParse(text)) return readS3Url(new URL(text));
  throw new Error('must be file:///absolute/path or s3://bucket/prefix?endpoint=…&region=…');
}

function readFileUrl(text: string): BlobPlace {
  // A file URL cannot be relative: `file:blobs` would mean /blobs.
  if (!/^file:(\/\/\/|\/(?!\/))[^?#]+$/i.test(text) || !URL.canParse(text))
    throw new Error('must be file:///absolute/path, without a host, "?" or "#" (write %3F and %23)');
  const directory = fileURLToPath(text);
  if (directory === '/') throw new Error('must name a folder below /');
  if (directory.includes('\0')) throw new Error(nul);
  return { kind: 'file', directory };
}

function readS3Url(url: URL): BlobPlace {
  const given = url.searchParams;
  for (const name of given.keys()) {
    if (!parameters.includes(name))
      throw new Error(`has no parameter ${name}: there are ${parameters.join(', ')}`);
    if (given.getAll(name).length > 1) throw new Error(`gives ${name} twice`);
  }
  if (url.username !== '' || url.password !== '')
    throw new Error(
      'takes no credentials: they come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the like',
    );
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(url.host))
    throw new Error(`has no bucket's name: ${url.host}`);
  const endpoint = given.get('endpoint') ?? undefined;
  if (endpoint !== undefined && !(URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)))
    throw new Error('endpoint must be a URL that begins with https:// or http://');
  const region = given.get('region') ?? (endpoint === undefined ? undefined : 'us-east-1');
  if (region === undefined || region === '') throw new Error('region is required when there is no endpoint');
  if (url.hash !== '') throw new Error('has a "#": in the prefix, write it as %23');
  const path = decodeURIComponent(url.pathname).replace(/^\/+|\/+$/g, '');
  if (path.includes('\0')) throw new Error(nul);
  return {
    kind: 's3',
    bucket: url.host,
    prefix: path === '' ? '' : `${path}/`,
    endpoint,
    region,
    pathStyle: flag(given, 'pathStyle', endpoint !== undefined),
    presign: flag(given, 'presign', false),
  };
}

function flag(given: URLSearchParams, name: string, absent: boolean): boolean {
  const text = given.get(name) ?? String(Number(absent));
  if (text !== '0' && text !== '1') throw new Error(`${name} must be 0 or 1`);
  return text === '1';
}

/** The place as text for people, without parameters: `/var/blobs` or `s3://bucket/prefix/`. */
export const describePlace = (place: BlobPlace): string =>
  place.kind === 'file' ? place.directory : `s3://${place.bucket}/${place.prefix}`;
