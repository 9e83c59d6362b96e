import type { IncomingMessage, ServerResponse } from 'node:http';
import { GraphQLError } from 'graphql';
import { lingeringClose } from '../lingering-close.ts';

export const httpError = (status: number, message: string): GraphQLError =>
  new GraphQLError(message, {
    extensions: { code: status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST', http: { status } },
  });

export const mediaTypeOf = (req: IncomingMessage): string =>
  (req.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();

/** A whole body of at most `limit` bytes. @throws GraphQLError 413 as soon as it is longer; its sender still gets the answer */
export async function readBody(req: IncomingMessage, res: ServerResponse, limit: number): Promise<Buffer> {
  const tooLarge = () => {
    lingeringClose(req, res);
    return httpError(413, `The request body exceeds ${limit} bytes`);
  };
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > limit) {
        req.removeAllListeners('data');
        reject(tooLarge());
      } else chunks.push(chunk);
    });
    req.once('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    req.once('error', reject);
    // Also emitted after a whole body, when an error made in vain would cost more than all the rest of this.
    req.once('close', () => {
      if (!req.complete) reject(httpError(400, 'The request ended before its body did'));
    });
  });
}
