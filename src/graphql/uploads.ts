import type { IncomingMessage, ServerResponse } from 'node:http';
import busboy from 'busboy';
import { GraphQLError } from 'graphql';
import { processRequest, Upload } from 'graphql-upload-ts';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { lingeringClose } from '../lingering-close.ts';
import { httpError, mediaTypeOf } from './body.ts';
import type { ServerContext } from './yoga.ts';

/** Caps of the door, in bytes: they protect the process and exceed the command's, so that its refusal is the one seen. */
export interface UploadLimits {
  readonly requestBytes: number;
  readonly files: number;
  /** All of a multipart request, and so any one file of it. */
  readonly multipartBytes: number;
}

/** Gives Yoga the JSON body that was read already, and reads multipart as streams by graphql-upload-ts, counting its bytes. */
export function useUploads(limits: UploadLimits): Plugin<object, ServerContext> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== 'POST') return;
      const { req, res, ctx, body } = serverContext as unknown as ServerContext;
      // Nothing is unpacked here, so that nothing can be larger than it looks.
      if (!/^(identity)?$/i.test(req.headers['content-encoding'] ?? ''))
        throw httpError(415, 'Send the body without a Content-Encoding');
      const type = mediaTypeOf(req);
      if (type === 'application/json') {
        setRequestParser(() => readJson(body));
      } else if (type === 'multipart/form-data') {
        assertPreflighted(req);
        setRequestParser(() =>
          ctx.viewer === undefined ? readOperations(req, res, limits) : readMultipart(req, res, limits),
        );
      } else {
        throw httpError(415, 'POST application/json or multipart/form-data');
      }
    },
  };
}

/**
 * A page of another origin can make a browser send multipart with the user's Basic credential and without asking first. It
 * cannot add a header, nor leave out those by which browsers mark their requests.
 */
function assertPreflighted({ headers }: IncomingMessage): void {
  const asked =
    'graphql-preflight' in headers || 'apollo-require-preflight' in headers || 'x-requested-with' in headers;
  const byBrowser =
    'origin' in headers || 'sec-fetch-site' in headers || 'sec-fetch-mode' in headers || 'cookie' in headers;
  if (!asked && byBrowser)
    throw httpError(403, 'Send the header GraphQL-Preflight: 1 with a multipart request');
}

function readJson(body: Buffer | Error | undefined): GraphQLParams {
  if (!Buffer.isBuffer(body)) throw body ?? httpError(400, 'The request has no body');
  if (body.length === 0) throw httpError(400, 'The request has no body');
  try {
    return JSON.parse(body.toString('utf8')) as GraphQLParams;
  } catch (error) {
    // A query of several lines that was pasted between quotation marks is the usual reason: say where it is.
    throw httpError(400, `The request body is not JSON: ${(error as Error).message}`);
  }
}

async function readMultipart(
  req: IncomingMessage,
  res: ServerResponse,
  limits: UploadLimits,
): Promise<GraphQLParams> {
  // An answer that comes before the last byte of the request, such as a refusal while reading, must still reach its sender.
  lingeringClose(req, res);
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
function readOperations(
  req: IncomingMessage,
  res: ServerResponse,
  limits: UploadLimits,
): Promise<GraphQLParams> {
  lingeringClose(req, res);
  return new Promise((resolve, reject) => {
    const malformed = () => reject(httpError(400, 'The multipart request is malformed'));
    let parser: busboy.Busboy;
    try {
      parser = busboy({
        headers: req.headers,
        limits: { fieldSize: limits.requestBytes, fields: 2, fileSize: 1 },
      });
    } catch {
      // There is no boundary.
      return malformed();
    }
    let bytes = 0;
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > 2 * limits.requestBytes) reject(httpError(413, 'The request is too large'));
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
