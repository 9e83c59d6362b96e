import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Patience } from './patience.ts';

/** Most bytes of a response that is not an object. A list of 1,000 names has up to 3 MiB. */
const mostBytes = 16 * 1024 * 1024;

interface Answer {
  readonly statusCode: number;
  body: unknown;
}

/**
 * Makes the client read each response to its end within the time of its attempt, or else retry the request.
 * The client's own timeout ends when a response begins, so a response that stops or trickles after its head
 * would hold the caller and a connection for ever. Only an object's bytes are left to their reader.
 * @param withinMs time of one attempt, milliseconds
 * @param patience can shorten that time
 */
export function boundAnswers(client: S3Client, withinMs: number, patience: Patience): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const startedAt = performance.now();
        const result = await next(args);
        const answer = result.response as Answer;
        const isObject = commandName === 'GetObjectCommand' && answer.statusCode < 300;
        if (!isObject && answer.body instanceof Readable) {
          const left = startedAt + withinMs - performance.now();
          const bytes = await readWithin(answer.body, left, patience);
          answer.body = Readable.from([bytes]);
        }
        return result;
      },
    { step: 'deserialize', priority: 'low', name: 'boundAnswers' },
  );
}

/**
 * Reads a stream to its end, or destroys it.
 * @param ms longest time, milliseconds; `patience` can shorten it
 * @throws Error when it takes longer (with the name TimeoutError, which the client retries), or has more than
 *   16 MiB; the stream's own error
 */
export async function readWithin(body: Readable, ms: number, patience: Patience): Promise<Buffer> {
  // The client retries an error of this name.
  const late = Object.assign(new Error('the response did not end in time'), { name: 'TimeoutError' });
  const stop = patience.wait(ms, () => body.destroy(late));
  const pieces: Buffer[] = [];
  let byteSize = 0;
  try {
    for await (const piece of body as AsyncIterable<Buffer>) {
      byteSize += piece.length;
      if (byteSize > mostBytes) throw new Error(`the response has more than ${mostBytes} bytes`);
      pieces.push(piece);
    }
    return Buffer.concat(pieces);
  } finally {
    stop();
  }
}
