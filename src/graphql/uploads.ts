import type { IncomingMessage } from 'node:http';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { httpError, mediaTypeOf } from './body.ts';
import { readMultipart, type UploadLimits } from './multipart/request.ts';
import type { ServerContext } from './yoga.ts';

/** Gives Yoga the JSON body that was read already, and reads multipart requests, whose files are streams. */
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
        // Of a stranger no byte of a file is stored.
        const receive = ctx.viewer === undefined ? undefined : ctx.receive;
        setRequestParser(() => readMultipart(req, res, receive, limits));
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
