import type { IncomingMessage, ServerResponse } from 'node:http';
import busboy from 'busboy';
import { GraphQLError } from 'graphql';
import { processRequest, Upload } from 'graphql-upload-ts';
import type { GraphQLParams } from 'graphql-yoga';
import { assertPreflighted } from './http/preflight.ts';
import { httpError } from './http/problem.ts';
import { type ReadParams, strangersBytes } from './http/read.ts';

/** Caps of the door, in bytes: they protect the process and exceed the command's, so that its refusal is the one seen. */
export interface UploadLimits {
  readonly requestBytes: number;
  readonly files: number;
  /** All of a multipart request, and so any one file of it. */
  readonly multipartBytes: number;
}

/** Reads multipart as streams by graphql-upload-ts, counting its bytes. */
export const createMultipartReader =
  (limits: UploadLimits): ReadParams =>
  (req, res, ctx) => {
    assertPreflighted(req, ctx.origin);
    return ctx.viewer === undefined ? readOperations(req) : readMultipart(req, res, limits);
  };

async function readMultipart(
  req: IncomingMessage,
  res: ServerResponse,
  limits: UploadLimits,
): Promise<GraphQLParams> {
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    // The command has refused long before, by type, however much was announced; what comes this far was asked for by nobody.
    if (bytes > limits.multipartBytes) req.destroy();
  });
  try {
    const options = {
      maxFieldSize: limits.requestBytes,
      // A cap of its own would break a file off under a command that has not read so far yet, and could not say why.
      maxFileSize: limits.multipartBytes,
      maxFiles: limits.files,
    };
    const params = await processRequest<GraphQLParams | GraphQLParams[]>(req, res, options);
    if (Array.isArray(params)) throw httpError(400, 'Batches are not supported');
    return params;
  } catch (error) {
    if (error instanceof GraphQLError) throw error;
    const { status, message } = error as { status?: number; message: string };
    throw httpError(status !== undefined && status < 500 ? status : 400, message);
  }
}

/** A stranger's request: what is asked is read, so that the refusal is typed; not a byte of a file is stored. */
function readOperations(req: IncomingMessage): Promise<GraphQLParams> {
  return new Promise((resolve, reject) => {
    const malformed = () => reject(httpError(400, 'The multipart request is malformed'));
    let parser: busboy.Busboy;
    try {
      parser = busboy({
        headers: req.headers,
        limits: { fieldSize: strangersBytes, fields: 2, fileSize: 1 },
      });
    } catch {
      // There is no boundary.
      return malformed();
    }
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > strangersBytes) reject(httpError(413, 'The request is too large'));
    });
    let params: { variables?: unknown } | undefined;
    parser.on('field', (name, value) => {
      try {
        if (name === 'operations') params = JSON.parse(value);
        if (name === 'map' && params !== undefined)
          for (const paths of Object.values(JSON.parse(value) as object)) paths.forEach(placeholder);
      } catch {
        malformed();
      }
    });
    const done = () =>
      params === undefined
        ? reject(httpError(400, 'The multipart request has no operations'))
        : resolve(params as GraphQLParams);
    parser.on('file', (_name, stream) => {
      stream.resume();
      done();
    });
    parser.on('finish', done);
    parser.on('error', malformed);
    req.pipe(parser);

    /** Puts an upload that never arrives at a path such as `variables.input.attachments.0.file`. */
    function placeholder(path: unknown): void {
      const steps = String(path).split('.');
      let at = params as Record<string, unknown>;
      for (const step of steps.slice(0, -1)) {
        if (!Object.hasOwn(at, step) || typeof at[step] !== 'object' || at[step] === null) return;
        at = at[step] as Record<string, unknown>;
      }
      if (Object.hasOwn(at, steps.at(-1)!)) at[steps.at(-1)!] = new Upload();
    }
  });
}
