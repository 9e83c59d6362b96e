import type { IncomingMessage, ServerResponse } from 'node:http';
import { mayBeCrossOrigin } from '../../platform/http/cross-origin-request.ts';
import { writeHead } from '../../platform/http/send-response.ts';
import { essenceOf } from '../../platform/incoming-file.ts';
import type { Logger } from '../../platform/log.ts';
import { uploadLifetimeHours } from '../../storage/garbage/expire-rows.ts';
import type { TicketContext } from '../../tickets/context.ts';
import { requireViewer } from '../../tickets/permissions.ts';
import { appendToUpload } from '../../tickets/uploads/append-bytes.ts';
import { uploadNotFound } from '../../tickets/uploads/fault.ts';
import { beginUpload, cancelUpload, uploadState } from '../../tickets/uploads/resumable.ts';
import { nextArrival } from '../../tickets/uploads/run-exclusively.ts';
import { storeUpload } from '../../tickets/uploads/store-in-one-request.ts';
import type { Handle } from '../server.ts';
import { newUploadOf } from './file-metadata.ts';
import { completeField, interopVersion, type UploadFields, uploadFieldsOf } from './header-fields.ts';
import { answerProblem, problemOf, RequestFault } from './problems.ts';
import { bodyOf } from './request-body.ts';
import { sendComplete, sendProgress } from './responses.ts';

/** What uploads need. */
export interface UploadPorts {
  /** Signs in. It is called before the body is read; what it rejects with is sent as a problem. */
  readonly contextOf: (req: IncomingMessage, res: ServerResponse) => Promise<TicketContext>;
  /** Maximum bytes of one file. */
  readonly maxBytes: number;
  readonly log: Logger;
  /** Called with 1 before a POST or PATCH is carried out, and with -1 when that has ended. */
  readonly uploading?: ((by: 1 | -1) => void) | undefined;
}

interface UploadCall {
  readonly ctx: TicketContext;
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly fields: UploadFields;
  readonly arrival: number;
  readonly maxBytes: number;
}

const partial = 'application/partial-upload';
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * Creates the handler of /uploads, for viewers with the scope WRITE. A POST to /uploads takes a file as a raw
 * body. If it has the header `Upload-Complete`, the upload can be resumed at /uploads/{id}, as in *Resumable
 * Uploads for HTTP* (draft-ietf-httpbis-resumable-upload-12): HEAD or GET asks for its offset, PATCH appends,
 * DELETE cancels. OPTIONS names the limits without sign-in. The `upload` of the final response is passed as
 * `AttachmentInput.upload`. Each POST counts toward the rate limit `write`. Errors are sent as problems
 * (`problemOf`), so the handler does not reject; after the head was sent, an error closes the connection.
 */
export function createUploads({ contextOf, maxBytes, log, uploading }: UploadPorts): Handle {
  return async (req, res, path) => {
    const fields = uploadFieldsOf(req.headers);
    const arrival = nextArrival();
    try {
      const [, , id, more] = path.split('/');
      const methods = more !== undefined ? nothing : id === undefined || id === '' ? collection : resource;
      const method = req.method === 'GET' ? 'HEAD' : req.method!;
      const run = methods.get(method);
      if (run === undefined) throw notAllowed(allowOf(methods));
      if (method === 'OPTIONS') return answerOptions(res, allowOf(methods), maxBytes);
      const ctx = await contextOf(req, res);
      const { userId } = requireViewer(ctx, 'write');
      if (method === 'POST') await ctx.services.rateLimits.count('write', userId);
      const brings = method === 'POST' || method === 'PATCH';
      if (brings) uploading?.(1);
      try {
        await run({ ctx, req, res, fields, arrival, maxBytes }, id ?? '');
      } finally {
        if (brings) uploading?.(-1);
      }
    } catch (error) {
      if (res.headersSent || res.destroyed) return void res.destroy();
      const problem = problemOf(error, res, log, fields.offset);
      const limit = problem.code === 'ATTACHMENT_TOO_LARGE' ? { 'Upload-Limit': `max-size=${maxBytes}` } : {};
      answerProblem(res, { ...problem, headers: { ...problem.headers, ...limit } });
    }
  };
}

type UploadMethod = (call: UploadCall, id: string) => Promise<void>;
const nothing: ReadonlyMap<string, UploadMethod> = new Map();
const collection: ReadonlyMap<string, UploadMethod> = new Map(
  Object.entries({ POST: create, OPTIONS: async () => {} }),
);
const resource: ReadonlyMap<string, UploadMethod> = new Map(
  Object.entries({
    HEAD: sendState,
    PATCH: append,
    DELETE: cancel,
    OPTIONS: async () => {},
  }),
);

/** Headers of an upload that a page can send to another origin only after a preflight. */
const preflighted = [
  'graphql-preflight',
  'x-requested-with',
  'upload-complete',
  'content-disposition',
  'idempotency-key',
];

async function create(call: UploadCall): Promise<void> {
  const { ctx, req, res, fields } = call;
  if (mayBeCrossOrigin(req, ctx.isOwnOrigin, preflighted)) {
    const message = 'Send the header GraphQL-Preflight: 1, or a Content-Type that no form has';
    throw new RequestFault('PREFLIGHT_REQUIRED', message);
  }
  const input = newUploadOf(req, fields);
  if (fields.complete === undefined) {
    const upload = await storeUpload(ctx, input, bodyOf(req));
    return sendComplete(res, upload);
  }
  const { id } = await beginUpload(ctx, input);
  const location = `${ctx.origin}/uploads/${id}`;
  const limits = limitsField(call, uploadLifetimeHours * 3600);
  if (fields.understands104 && req.httpVersionMinor > 0)
    res.writeInformation(104, {
      Location: location,
      'Upload-Limit': limits,
      'Upload-Draft-Interop-Version': String(interopVersion),
    });
  await bring(call, id, 0, fields.complete, (offset) =>
    sendProgress(res, 201, offset, { Location: location, 'Upload-Limit': limits }),
  );
}

async function append(call: UploadCall, id: string): Promise<void> {
  const { req, fields } = call;
  if (essenceOf(req.headers['content-type']) !== partial)
    throw new RequestFault('UNSUPPORTED_MEDIA_TYPE', `Send ${partial}`, { 'Accept-Patch': partial });
  if (fields.offset === undefined || fields.complete === undefined)
    throw new RequestFault('BAD_REQUEST', 'Send Upload-Offset and Upload-Complete with a PATCH');
  if (!uuid.test(id)) throw uploadNotFound();
  await bring(call, id, fields.offset, fields.complete, (offset) => sendProgress(call.res, 204, offset));
}

/**
 * Appends the request's body to the upload and answers. When the request broke off, there is nobody left to
 * answer.
 */
async function bring(
  { ctx, req, res, fields, arrival }: UploadCall,
  id: string,
  offset: number,
  complete: boolean,
  progress: (offset: number) => void,
): Promise<void> {
  const { length: byteSize, contentLength: comingBytes } = fields;
  const appended = await appendToUpload(
    ctx,
    { id, arrival, offset, complete, byteSize, comingBytes },
    bodyOf(req),
  );
  if (appended.brokenOff) return void req.destroy();
  if (appended.upload === undefined) progress(appended.offset);
  else
    sendComplete(res, appended.upload, { 'Upload-Complete': '?1', 'Upload-Offset': String(appended.offset) });
}

async function sendState(call: UploadCall, id: string): Promise<void> {
  if (!uuid.test(id)) throw uploadNotFound();
  const { upload, offset, byteSize, expiresInSeconds } = await uploadState(call.ctx, id, call.arrival);
  writeHead(call.res, 204, {
    'Upload-Offset': String(offset),
    'Upload-Complete': completeField(upload !== undefined),
    ...(byteSize === null ? {} : { 'Upload-Length': String(byteSize) }),
    'Upload-Limit': limitsField(call, expiresInSeconds),
    'Cache-Control': 'no-store',
  }).end();
}

async function cancel({ ctx, res, arrival }: UploadCall, id: string): Promise<void> {
  if (!uuid.test(id)) throw uploadNotFound();
  await cancelUpload(ctx, id, arrival);
  writeHead(res, 204, { 'Cache-Control': 'no-store' }).end();
}

function answerOptions(res: ServerResponse, allow: string, maxBytes: number): void {
  const limits = `max-size=${maxBytes}, max-age=${uploadLifetimeHours * 3600}`;
  writeHead(res, 204, { Allow: allow, 'Upload-Limit': limits }).end();
}

const limitsField = ({ maxBytes }: Pick<UploadCall, 'maxBytes'>, maxAge: number): string =>
  `max-size=${maxBytes}, max-age=${Math.max(0, maxAge)}`;

const allowOf = (methods: ReadonlyMap<string, UploadMethod>): string =>
  [...methods.keys()].flatMap((method) => (method === 'HEAD' ? ['GET', 'HEAD'] : [method])).join(', ');

function notAllowed(allow: string): RequestFault | Error {
  if (allow === '') return uploadNotFound();
  return new RequestFault('METHOD_NOT_ALLOWED', `Use one of ${allow}`, { Allow: allow });
}
