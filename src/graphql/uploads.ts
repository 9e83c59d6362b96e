import type { IncomingMessage, ServerResponse } from 'node:http';
import busboy from 'busboy';
import { GraphQLError } from 'graphql';
import { processRequest, Upload } from 'graphql-upload-ts';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { lingeringClose } from '../lingering-close.ts';
import type { ServerContext } from './yoga.ts';

/** Caps of the door, in bytes: they protect the process and exceed the command's, so that its refusal is the one seen. */
export interface UploadLimits {
  readonly requestBytes: number;
  readonly files: number;
  /** All of a multipart request, and so any one file of it. */
  readonly multipartBytes: number;
}

/** Reads a request's body by our own counters: JSON up to a limit, multipart as streams by graphql-upload-ts. */
export function useUploads(limits: UploadLimits): Plugin<object, ServerContext> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method !== 'POST') return;
      const { req, res, ctx } = serverContext as unknown as ServerContext;
      const type = (req.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
      if (type === 'application/json' || type === 'application/graphql+json') {
        setRequestParser(() => readJson(req, res, limits.requestBytes));
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

const httpError = (status: number, message: string): GraphQLError =>
  new GraphQLError(message, {
    extensions: { code: status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST', http: { status } },
  });

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

async function readJson(req: IncomingMessage, res: ServerResponse, limit: number): Promise<GraphQLParams> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const tooLarge = () => {
    lingeringClose(req, res);
    return httpError(413, `The request body exceeds ${limit} bytes`);
  };
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge();
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limit) throw tooLarge();
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  try {
    return JSON.parse(text) as GraphQLParams;
  } catch {
    throw httpError(400, 'The request body is not JSON');
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
    const parser = busboy({
      headers: req.headers,
      limits: { fieldSize: limits.requestBytes, fields: 2, fileSize: 1 },
    });
    let params: { variables?: unknown } | undefined;
    parser.on('field', (name, value) => {
      try {
        if (name === 'operations') params = JSON.parse(value);
        if (name === 'map' && params !== undefined)
          for (const paths of Object.values(JSON.parse(value) as object)) paths.forEach(placeholder);
      } catch {
        reject(httpError(400, 'The multipart request is malformed'));
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
    parser.on('error', () => reject(httpError(400, 'The multipart request is malformed')));
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
