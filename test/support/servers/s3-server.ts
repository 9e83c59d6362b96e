import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
// Clock: a server that is as slow as a test says.
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { readAll } from './read-all.ts';
import { createBucket, md5, S3Refusal } from './s3-bucket.ts';

export type S3Operation =
  | 'PutObject'
  | 'CopyObject'
  | 'GetObject'
  | 'HeadObject'
  | 'DeleteObject'
  | 'ListObjectsV2'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListParts'
  | 'ListMultipartUploads';
/**
 * A status instead of an answer; no answer ever; the connection cut before the work, after it, or in the
 * middle of the answer; an answer whose end does not come, and which says nothing more, a byte now and then,
 * or bytes without end; the whole object, whatever range was asked for; a page of a proxy that is not S3.
 */
export type S3Fault =
  | (500 | 503 | 403)
  | ('hang' | 'cut' | 'cut-after' | 'cut-within')
  | ('stall' | 'trickle' | 'endless' | 'ignore-range' | 'page' | 'no-next');

export interface S3Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly bucket: ReturnType<typeof createBucket>;
  /** How many connections clients have open. */
  connections(): Promise<number>;
  /** How many requests wait for an answer, or for the rest of one. */
  underWay(): number;
  /** What was asked for, in order. */
  readonly calls: S3Operation[];
  /** What no good client sends. Tests end by looking that there is none. */
  readonly violations: string[];
  /** Answers the next `times` calls of an operation so; for ever unless given. */
  fail(operation: S3Operation, fault: S3Fault, times?: number): void;
  mend(): void;
  /** How long each answer takes, milliseconds. */
  delayMs: number;
}

interface Call {
  readonly operation: S3Operation;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}
interface Reply {
  readonly status?: number;
  readonly headers?: Record<string, string | number>;
  readonly body?: Buffer | string;
}
const pageSize = 7;

/** A page of a list that says that there is more, and not where. */
const withoutNext = (reply: Reply): Reply => ({
  ...reply,
  body: String(reply.body)
    .replace(/<Next\w+>.*?<\/Next\w+>/g, '')
    .replace('<IsTruncated>false', '<IsTruncated>true'),
});

/**
 * An S3 server of one bucket, `desk`, in memory, with path-style addresses; pages are short, so that clients
 * have to turn them.
 * @param leastPart fewest bytes of a part but the last
 */
export async function startS3Server(leastPart = 5 * 1024 * 1024): Promise<S3Server> {
  const bucket = createBucket(leastPart);
  const calls: S3Operation[] = [];
  const violations: string[] = [];
  const faults = new Map<S3Operation, { fault: S3Fault; times: number }>();

  let underWay = 0;
  const server = createServer((req, res) => {
    underWay += 1;
    res.once('close', () => (underWay -= 1));
    answer(req, res).catch((error) => {
      if (!(error instanceof S3Refusal)) violations.push(String(error));
      const { status, code } = error instanceof S3Refusal ? error : { status: 500, code: 'InternalError' };
      if (!res.headersSent) send(res, { status, body: errorBody(code) }, req.method === 'HEAD');
    });
  });

  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const call = await readCall(req);
    await sleep(s3.delayMs);
    calls.push(call.operation);
    violations.push(...wrongWith(call).map((what) => `${call.operation}: ${what}`));
    const fault = faultOf(call.operation);
    if (fault === 'hang') return;
    if (fault === 'cut') return void req.socket.destroy();
    if (fault === 'page') return send(res, { body: '<html>Sign in to the network</html>' }, false);
    if (typeof fault === 'number') throw new S3Refusal(fault, fault === 503 ? 'SlowDown' : 'InternalError');
    const asked = fault === 'ignore-range' ? { ...call, headers: { ...call.headers, range: '' } } : call;
    const done = operations[call.operation](bucket, asked);
    const reply = fault === 'no-next' ? withoutNext(done) : done;
    if (fault === 'cut-after') return void req.socket.destroy();
    if (fault === 'cut-within') return cutWithin(res, reply);
    if (fault === 'stall' || fault === 'trickle' || fault === 'endless') return goOn(res, reply, fault);
    send(res, reply, req.method === 'HEAD');
  }

  async function readCall(req: IncomingMessage): Promise<Call> {
    const url = new URL(req.url!, 'http://s3');
    const [, name, ...rest] = url.pathname.split('/').map(decodeURIComponent);
    const body = await readAll(req);
    if (name !== 'desk') throw new S3Refusal(404, 'NoSuchBucket');
    const key = rest.join('/');
    const { headers } = req;
    return {
      operation: operationOf(req.method!, key, url.searchParams, headers),
      key,
      query: url.searchParams,
      headers,
      body,
    };
  }

  function faultOf(operation: S3Operation): S3Fault | undefined {
    const found = faults.get(operation);
    if (found === undefined || found.times <= 0) return undefined;
    found.times -= 1;
    return found.fault;
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const s3: S3Server = {
    delayMs: 0,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bucket,
    calls,
    violations,
    fail: (operation, fault, times = Number.POSITIVE_INFINITY) =>
      void faults.set(operation, { fault, times }),
    mend: () => faults.clear(),
    underWay: () => underWay,
    connections: promisify(server.getConnections.bind(server)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return s3;
}

function operationOf(
  method: string,
  key: string,
  query: URLSearchParams,
  headers: IncomingMessage['headers'],
): S3Operation {
  const has = (name: string) => query.has(name);
  if (key === '') return has('uploads') ? 'ListMultipartUploads' : 'ListObjectsV2';
  if (method === 'POST') return has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload';
  if (method === 'PUT' && has('partNumber')) return 'UploadPart';
  if (method === 'PUT') return headers['x-amz-copy-source'] === undefined ? 'PutObject' : 'CopyObject';
  if (method === 'DELETE') return has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'HEAD') return 'HeadObject';
  return has('uploadId') ? 'ListParts' : 'GetObject';
}

/** What is sent must be signed, must be what was signed, and bytes must come with their digest. */
function wrongWith({ operation, headers, query, body }: Call): string[] {
  const wrong: string[] = [];
  const signed = /^AWS4-HMAC-SHA256 Credential=.+SignedHeaders=.+Signature=[0-9a-f]{64}$/;
  if (!signed.test(headers.authorization ?? '') && !query.has('X-Amz-Signature')) wrong.push('is not signed');
  const digest = headers['x-amz-content-sha256'];
  if (typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest)) {
    if (createHash('sha256').update(body).digest('hex') !== digest) wrong.push('is not what was signed');
  }
  if (headers['content-encoding']?.includes('aws-chunked')) wrong.push('is sent in chunks of AWS’s own');
  if (operation === 'PutObject' || operation === 'UploadPart') {
    if (headers['content-length'] === undefined) wrong.push('has no length');
    if (headers['content-md5'] !== md5(body, 'base64')) wrong.push('comes without its digest');
  }
  return wrong;
}

type Bucket = ReturnType<typeof createBucket>;
const uploadId = ({ query }: Call) => query.get('uploadId')!;
const operations: Record<S3Operation, (bucket: Bucket, call: Call) => Reply> = {
  PutObject: (bucket, { key, body }) => ({ headers: { ETag: bucket.put(key, body).etag } }),
  CopyObject(bucket, { key, headers }) {
    const from = decodeURIComponent(String(headers['x-amz-copy-source'])).replace(/^\/?[^/]+\//, '');
    const { etag, at } = bucket.copy(from, key);
    return {
      body: xml('CopyObjectResult', `<ETag>${etag}</ETag><LastModified>${at.toISOString()}</LastModified>`),
    };
  },
  GetObject(bucket, { key, headers }) {
    const { bytes, etag } = bucket.objectOf(key);
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '');
    if (range === null) return { headers: { ETag: etag }, body: bytes };
    const start = Number(range[1]);
    const end = range[2] === '' ? bytes.length - 1 : Math.min(Number(range[2]), bytes.length - 1);
    if (start > end) throw new S3Refusal(416, 'InvalidRange');
    const header = { ETag: etag, 'Content-Range': `bytes ${start}-${end}/${bytes.length}` };
    return { status: 206, headers: header, body: bytes.subarray(start, end + 1) };
  },
  HeadObject(bucket, { key }) {
    const { bytes, etag, at } = bucket.objectOf(key);
    return { headers: { ETag: etag, 'Content-Length': bytes.length, 'Last-Modified': at.toUTCString() } };
  },
  DeleteObject(bucket, { key }) {
    bucket.remove(key);
    return { status: 204 };
  },
  ListObjectsV2(bucket, { query }) {
    const after = query.get('continuation-token') ?? query.get('start-after') ?? '';
    const { keys, more } = bucket.list(query.get('prefix') ?? '', after, pageSize);
    const contents = keys.map((key) => {
      const { bytes, etag, at } = bucket.objectOf(key);
      return (
        `<Contents><Key>${key}</Key><LastModified>${at.toISOString()}</LastModified><ETag>${etag}` +
        `</ETag><Size>${bytes.length}</Size></Contents>`
      );
    });
    const next = more ? `<NextContinuationToken>${keys.at(-1)}</NextContinuationToken>` : '';
    return { body: xml('ListBucketResult', `<IsTruncated>${more}</IsTruncated>${next}${contents.join('')}`) };
  },
  CreateMultipartUpload: (bucket, { key }) => ({
    body: xml('InitiateMultipartUploadResult', `<Key>${key}</Key><UploadId>${bucket.begin(key)}</UploadId>`),
  }),
  UploadPart(bucket, call) {
    const part = bucket.putPart(call.key, uploadId(call), Number(call.query.get('partNumber')), call.body);
    return { headers: { ETag: part.etag } };
  },
  CompleteMultipartUpload(bucket, call) {
    const named = [...call.body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part!)?.[1]),
      etag: (/<ETag>(.*?)</.exec(part!)?.[1] ?? '').replaceAll('&quot;', '"'),
    }));
    const { etag } = bucket.complete(call.key, uploadId(call), named);
    return { body: xml('CompleteMultipartUploadResult', `<Key>${call.key}</Key><ETag>${etag}</ETag>`) };
  },
  AbortMultipartUpload(bucket, call) {
    bucket.abort(call.key, uploadId(call));
    return { status: 204 };
  },
  ListParts(bucket, call) {
    const parts = [...bucket.uploadOf(call.key, uploadId(call)).parts].map(
      ([number, { bytes, etag }]) =>
        `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${bytes.length}</Size></Part>`,
    );
    return { body: xml('ListPartsResult', `<IsTruncated>false</IsTruncated>${parts.join('')}`) };
  },
  ListMultipartUploads(bucket, { query }) {
    const uploads = bucket
      .listUploads(query.get('prefix') ?? '')
      .map(
        ([id, { key, initiated }]) =>
          `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${initiated.toISOString()}` +
          '</Initiated></Upload>',
      );
    return { body: xml('ListMultipartUploadsResult', `<IsTruncated>false</IsTruncated>${uploads.join('')}`) };
  },
};

const xml = (root: string, inside: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><${root} ` +
  `xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</${root}>`;
const errorBody = (code: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`;

function send(res: ServerResponse, { status = 200, headers = {}, body = '' }: Reply, head: boolean): void {
  const length = head || status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) };
  res.writeHead(status, { ...length, ...headers });
  res.end(head ? undefined : body);
}

/** Begins an answer, and does not end it while its client waits. */
function goOn(
  res: ServerResponse,
  { status = 200, headers = {}, body = '' }: Reply,
  how: 'stall' | 'trickle' | 'endless',
): void {
  const bytes = Buffer.from(body as string);
  const length = how === 'endless' ? {} : { 'Content-Length': bytes.length + 1024 * 1024 };
  res.writeHead(status === 204 ? 200 : status, { ...headers, ...length });
  res.write(Buffer.concat([bytes.subarray(0, bytes.length / 2), Buffer.from(' ')]));
  if (how === 'trickle') {
    const timer = setInterval(() => res.write(' '), 20);
    res.once('close', () => clearInterval(timer));
  }
  if (how === 'endless') Readable.from(forever()).pipe(res);
}

function* forever(): Generator<Buffer> {
  for (;;) yield Buffer.alloc(64 * 1024, ' ');
}

function cutWithin(res: ServerResponse, { status = 200, headers = {}, body = '' }: Reply): void {
  const bytes = Buffer.from(body as string);
  if (bytes.length === 0) return void res.socket?.end(`HTTP/1.1 ${status}`);
  res.writeHead(status, { ...headers, 'Content-Length': bytes.length });
  res.write(bytes.subarray(0, bytes.length / 2), () => res.destroy());
}
