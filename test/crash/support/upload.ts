import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/*
 * A multipart client that knows how much it got to send: real HTTP, one connection a request, bytes as fast
 * as they are taken.
 */

export interface UploadRequest {
  /** Value of the Authorization header; none unless given. */
  readonly authorization?: string;
  readonly operations: object;
  /** Paths of `operations` by the file's place: `variables.input.attachments.0.file` unless given. */
  readonly map?: Readonly<Record<string, readonly string[]>>;
  /** Each file's name and size in bytes. */
  readonly files: readonly { readonly name: string; readonly size: number }[];
  /** Without a Content-Length: the server cannot know before how much it will be. */
  readonly chunked?: boolean;
  /** Cuts the connection after this part of the body, from 0 to 1. */
  readonly cutAt?: number;
  /** Sends this many bytes of the body, and then waits for the answer. */
  readonly holdAt?: number;
  /** As fast as they are taken unless given. */
  readonly bytesPerSecond?: number;
}

export interface UploadAnswer {
  /** 0: the connection was cut. */
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server said, as JSON
  readonly body: any;
  /** Bytes of the body that had been handed to the socket when the answer's head arrived. */
  readonly sentBytes: number;
  readonly totalBytes: number;
}

/** Nothing that compresses, and any part of it is a file: contents are cheap to make and to hash. */
export const noise = randomBytes(1024 * 1024);

/** A file's bytes, in pieces. */
export function* contents(size: number): Generator<Buffer> {
  for (let at = 0; at < size; at += noise.length) yield noise.subarray(0, Math.min(noise.length, size - at));
}

export async function upload(url: string, options: UploadRequest): Promise<UploadAnswer> {
  const { files, chunked = false, cutAt, holdAt = Number.POSITIVE_INFINITY } = options;
  const boundary = `boundary-${randomBytes(8).toString('hex')}`;
  const parts = [...partsOf(options, boundary)];
  const sizeOf = (part: Buffer | number) => (typeof part === 'number' ? part : part.length);
  const totalBytes = parts.reduce<number>((sum, part) => sum + sizeOf(part), 0);
  const req = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'graphql-preflight': '1',
      ...(chunked ? {} : { 'content-length': totalBytes }),
      ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
    },
  });
  let sentBytes = 0;
  let answer: IncomingMessage | undefined;
  let failed: Error | undefined;
  const answered = new Promise<void>((resolve) => {
    req.on('response', (response) => {
      answer = response;
      resolve();
    });
    req.on('error', (error) => {
      failed = error;
      resolve();
    });
  });
  const stop = cutAt === undefined ? Number.POSITIVE_INFINITY : Math.floor(totalBytes * cutAt);
  for (const chunk of chunksOf(parts)) {
    if (answer || failed) break;
    const rest = Math.min(chunk.length, stop - sentBytes, holdAt - sentBytes);
    const taken = req.write(chunk.subarray(0, rest));
    sentBytes += rest;
    if (options.bytesPerSecond) await sleep((1000 * rest) / options.bytesPerSecond);
    if (!taken) await Promise.race([once(req, 'drain').catch(() => {}), answered]);
    if (sentBytes >= holdAt) await answered;
    if (sentBytes >= stop) {
      // The server has seen what was sent before the connection ends.
      await sleep(50);
      req.destroy();
      break;
    }
  }
  if (sentBytes === totalBytes) req.end();
  await answered;
  if (!answer) return { status: 0, body: undefined, sentBytes, totalBytes };
  const sentBefore = sentBytes;
  const text: Buffer[] = [];
  for await (const chunk of answer) text.push(chunk as Buffer);
  req.destroy();
  const body = JSON.parse(Buffer.concat(text).toString());
  return { status: answer.statusCode!, body, sentBytes: sentBefore, totalBytes };

  function* chunksOf(all: readonly (Buffer | number)[]): Generator<Buffer> {
    for (const part of all) {
      if (typeof part === 'number') {
        for (const piece of contents(part))
          for (let at = 0; at < piece.length; at += 65_536) yield piece.subarray(at, at + 65_536);
      } else yield part;
    }
  }

  function* partsOf({ operations, map }: UploadRequest, mark: string): Generator<Buffer | number> {
    const field = (name: string, value: object) =>
      Buffer.from(
        `--${mark}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${JSON.stringify(value)}\r\n`,
      );
    yield field('operations', operations);
    const paths = files.map((_file, n) => [String(n), [`variables.input.attachments.${n}.file`]]);
    yield field('map', map ?? Object.fromEntries(paths));
    for (const [n, { name, size }] of files.entries()) {
      yield Buffer.from(
        `--${mark}\r\nContent-Disposition: form-data; name="${n}"; filename="${name}"\r\nContent-Type: ` +
          'application/octet-stream\r\n\r\n',
      );
      yield size;
      yield Buffer.from('\r\n');
    }
    yield Buffer.from(`--${mark}--\r\n`);
  }
}
