import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeGlobalId } from '../../platform/global-id.ts';
import { writeHead } from '../../platform/http/send-response.ts';
import { essenceOf } from '../../platform/incoming-file.ts';
import type { Viewer } from '../../platform/request-context.ts';
import type { PresignOptions } from '../../storage/blob-store.ts';
import type { ImageSniffer } from '../../storage/image-type.ts';
import type { TicketContext, TicketServices } from '../../tickets/context.ts';
import { isServed } from '../../tickets/read/attachment-url.ts';
import { type Attachment, loadAttachments } from '../../tickets/read/attachments.ts';
import { signedParameters } from '../../tickets/read/signed-url.ts';
import type { BeginRequest } from '../begin-request.ts';
import { dispositionOf } from '../content-disposition.ts';
import { decodeSegment } from '../request-target.ts';
import { passwordChallenge, refuseMethod, sendText, withoutRead } from '../respond.ts';
import type { Handle } from '../server.ts';
import { rangeOf } from './byte-range.ts';
import { preconditionOf, rangeIfSame } from './preconditions.ts';
import { sendBody, signalOfLeaving } from './send-body.ts';

/** What downloads need. */
export interface DownloadPorts {
  readonly begin: BeginRequest;
  readonly services: TicketServices;
  readonly now: () => Date;
  /** The user as a viewer with the scope `read` only. Undefined for an unknown or disabled user. */
  readonly findReader: (userId: number) => Promise<Viewer | undefined>;
  /** Detects by its first bytes whether a stored file is a picture, and of which type. */
  readonly sniff: ImageSniffer;
}

/**
 * Creates the handler of GET and HEAD of /attachments/{id} and /attachments/{id}/{name}: it sends the file to
 * users who may see its message, with support for ranges and conditions (206, 304, 412, 416). If the store
 * has presigned URLs, it answers a GET with 302 to one that works for 60 seconds, unless the file is not
 * scanned yet. Only pictures are shown inline. Users sign in with a credential or use a signed URL. A request
 * with neither gets 401, a credential without the scope `read` gets 403, and any other method gets 405. A
 * file that does not exist, is redacted or infected, or that the viewer may not see, gets the same 404 as a
 * signature that is invalid or has expired. So the answer does not reveal whether there is such a file.
 * Errors of `begin` are thrown.
 */
export function createDownloads(ports: DownloadPorts): Handle {
  const { begin, services } = ports;
  return async (req, res, path) => {
    if (refuseMethod(req, res)) return;
    const [globalId = '', _name, more] = path.slice('/attachments/'.length).split('/');
    const id = more === undefined ? decodeGlobalId('Attachment', decodeSegment(globalId)) : undefined;
    const query = queryOf(req);
    const signed = signedParameters.some((name) => query.has(name));
    const ctx = {
      ...(await begin(req, res, signed ? () => signedFor(ports, id, query) : undefined)),
      services,
    };
    if (!signed && ctx.viewer === undefined)
      // Links are opened by people, so the browser may prompt for a password here.
      return sendText(res, 401, 'Sign in to download\n', { 'WWW-Authenticate': passwordChallenge });
    if (ctx.viewer !== undefined && !ctx.viewer.scopes.has('read')) return sendText(res, 403, withoutRead);
    const attachment =
      id === undefined || ctx.viewer === undefined ? undefined : (await loadAttachments(ctx, [id])).get(id);
    if (attachment === undefined || !isServed(attachment)) return sendText(res, 404, 'Not found\n');
    const leaving = signalOfLeaving(res);
    await answerFile(ports, ctx, req, res, { attachment, signed, leaving }).catch((error) => {
      // Nobody is left to answer, and what was read for them has been ended.
      if (!leaving.aborted) throw error;
    });
  };
}

/** The user whom the URL was signed for. A credential that the browser sends along is ignored. */
async function signedFor(
  { services, now, findReader }: DownloadPorts,
  id: number | undefined,
  query: URLSearchParams,
): Promise<Viewer | undefined> {
  const userId = services.attachmentUrls.userOf(id ?? 0, query, now());
  return userId === undefined ? undefined : findReader(userId);
}

interface Requested {
  readonly attachment: Attachment;
  readonly signed: boolean;
  /** Aborted when the client leaves. */
  readonly leaving: AbortSignal;
}

async function answerFile(
  { sniff }: DownloadPorts,
  ctx: TicketContext,
  req: IncomingMessage,
  res: ServerResponse,
  { attachment, signed, leaving }: Requested,
): Promise<void> {
  const { byteSize, blobKey } = attachment;
  const etag = `"${attachment.sha256.toString('hex')}"`;
  const common = { ETag: etag, 'Cache-Control': 'private, no-store', 'X-Content-Type-Options': 'nosniff' };
  const precondition = preconditionOf(req.headers, etag);
  if (precondition === 'unchanged') return void writeHead(res, 304, common).end();
  if (precondition === 'changed')
    return sendText(res, 412, 'The file does not match the If-Match header\n', { ETag: etag });
  // Only GET has ranges (RFC 9110 §14.2): HEAD tells the length of the whole file.
  const range = req.method === 'GET' ? rangeOf(rangeIfSame(req.headers, etag), byteSize) : undefined;
  if (range === 'unsatisfiable') {
    const contentRange = `bytes */${byteSize}`;
    return sendText(res, 416, 'Range not satisfiable\n', { 'Content-Range': contentRange });
  }
  const picture = mayBeShown(attachment) ? await sniff(blobKey!, byteSize, leaving) : undefined;
  const shown = shownAs(attachment, picture);
  // A file that is not scanned yet is not handed out by a URL that stays valid for a minute.
  if (req.method === 'GET' && attachment.scan !== 'PENDING' && ctx.services.blobs.presign !== undefined)
    return answerElsewhere(res, await ctx.services.blobs.presign(blobKey!, presignedAs(shown)), signed);
  const body =
    req.method === 'HEAD' || byteSize === 0
      ? undefined
      : await ctx.services.blobs.open(blobKey!, range, leaving);
  const length = range === undefined ? byteSize : range.end - range.start + 1;
  writeHead(res, range === undefined ? 200 : 206, {
    ...common,
    ...shown,
    'Content-Length': length,
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Cross-Origin-Resource-Policy': resourcePolicy(signed),
    'Accept-Ranges': 'bytes',
    ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${byteSize}` }),
  });
  if (body === undefined) return void res.end();
  await sendBody(body, res, length, ctx.log);
}

/** Pages of other origins may show a file by its signed URL. */
const resourcePolicy = (signed: boolean): string => (signed ? 'cross-origin' : 'same-origin');

/** Lifetime of the store's presigned URL, in seconds. The caller follows it immediately. */
const elsewhereSeconds = 60;

const presignedAs = (shown: ReturnType<typeof shownAs>): PresignOptions => ({
  expiresInSeconds: elsewhereSeconds,
  disposition: shown['Content-Disposition'],
  contentType: shown['Content-Type'],
});

/** Redirects to the store, for a moment and for this viewer. */
function answerElsewhere(res: ServerResponse, location: string, signed: boolean): void {
  sendText(res, 302, 'See the Location header\n', {
    Location: location,
    'Cache-Control': 'private, no-store',
    'Cross-Origin-Resource-Policy': resourcePolicy(signed),
  });
}

/**
 * A file is shown inline only if its declared type and its name allow a picture. Its bytes are sniffed
 * afterwards.
 */
function mayBeShown({ contentType, fileName, scan }: Attachment): boolean {
  const essence = essenceOf(contentType);
  const extension = /\.([^.]*)$/.exec(fileName)?.[1]?.toLowerCase();
  return (
    scan !== 'PENDING' &&
    ((essence.startsWith('image/') && essence !== 'image/svg+xml') ||
      essence === 'application/octet-stream') &&
    (extension === undefined || /^(a?png|jpe?g|jfif|gif|webp|avif|bmp)$/.test(extension))
  );
}

const shownAs = ({ contentType, fileName }: Attachment, picture: string | undefined) =>
  picture === undefined
    ? { 'Content-Type': inertType(contentType), 'Content-Disposition': dispositionOf(fileName) }
    : { 'Content-Type': picture, 'Content-Disposition': dispositionOf(fileName, 'inline') };

/** Types that could run script on our origin. The sender's declared type is not trusted. */
const activeTypes = new RegExp(
  [
    '^(text/(html|xml|css|xsl)',
    // Every name that browsers take for JavaScript (MIME Sniffing §4.6).
    String.raw`(text|application)/(x-)?(java|ecma|j|live)script(1\.\d)?`,
    String.raw`application/(pdf|xml|.*\+xml)`,
    String.raw`image/.*\+xml`,
    'multipart/.*)$',
  ].join('|'),
);
const inertType = (type: string): string =>
  activeTypes.test(essenceOf(type)) ? 'application/octet-stream' : type;

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at === -1 ? '' : url.slice(at + 1).split('#', 1)[0]);
}
