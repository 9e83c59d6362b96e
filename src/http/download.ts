import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { Refusal } from '../errors.ts';
import { decodeGlobalId } from '../global-id.ts';
import { BlobMissing } from '../storage/blob-store.ts';
import { loadAttachments } from '../tickets/attachment.ts';
import { openDeliverySource } from '../tickets/delivery-source.ts';
import type { DeskContext } from '../tickets/desk.ts';
import { answerText } from './answer.ts';

/** GET /attachments/{id}: the file, for whoever may see its message; for all others there is no such thing. */
export async function answerDownload(
  ctx: DeskContext,
  req: IncomingMessage,
  res: ServerResponse,
  globalId: string,
): Promise<void> {
  if (req.method !== 'GET' && req.method !== 'HEAD')
    return answerText(res, 405, 'Method not allowed\n', { Allow: 'GET, HEAD' });
  // Here a browser may ask for the password: the link was opened by a person.
  if (ctx.viewer === undefined) {
    return answerText(res, 401, 'Sign in to download\n', { 'WWW-Authenticate': challenge });
  }
  if (!ctx.viewer.scopes.has('read'))
    return answerText(res, 403, 'This credential does not have the scope "read"\n');
  const id = decodeGlobalId('Attachment', decodeSegment(globalId));
  const attachment = id === undefined ? undefined : (await loadAttachments(ctx, [id])).get(id);
  if (attachment === undefined || attachment.blobKey === null) return answerText(res, 404, 'Not found\n');
  const range = rangeOf(req.headers.range, attachment.byteSize);
  if (range === 'unsatisfiable') {
    return answerText(res, 416, 'Range not satisfiable\n', {
      'Content-Range': `bytes */${attachment.byteSize}`,
    });
  }
  res.statusCode = range === undefined ? 200 : 206;
  const length = range === undefined ? attachment.byteSize : range.end - range.start + 1;
  const headers = {
    // The sender's word for the type is not believed: a page of it must not run on our origin.
    'Content-Type': inertType(attachment.contentType),
    'Content-Length': String(length),
    'Content-Disposition': dispositionOf(attachment.fileName),
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'X-Content-Type-Options': 'nosniff',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-store',
    ...(range && { 'Content-Range': `bytes ${range.start}-${range.end}/${attachment.byteSize}` }),
  };
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (req.method === 'HEAD' || attachment.byteSize === 0) return void res.end();
  try {
    await pipeline(await ctx.desk.blobs.open(attachment.blobKey, range), res);
  } catch (error) {
    if (error instanceof BlobMissing) throw error;
    // The caller went away in the middle; nobody is left to be told.
    if (!res.writableFinished) res.destroy();
  }
}

/** GET /deliveries/{id}/source: the mail as it was sent, for operators. */
export async function answerSource(
  ctx: DeskContext,
  req: IncomingMessage,
  res: ServerResponse,
  path: string,
): Promise<void> {
  const [globalId, what] = path.split('/');
  const deliveryId =
    what === 'source' && req.method === 'GET'
      ? decodeGlobalId('Delivery', decodeSegment(globalId!))
      : undefined;
  if (ctx.viewer === undefined)
    return answerText(res, 401, 'Sign in to download\n', { 'WWW-Authenticate': challenge });
  const source =
    deliveryId === undefined
      ? undefined
      : await openDeliverySource(ctx, { deliveryId }).catch((error) => {
          if (error instanceof Refusal) return undefined;
          throw error;
        });
  if (source === undefined) return answerText(res, 404, 'Not found\n');
  res.writeHead(200, {
    'Content-Type': 'message/rfc822',
    'Content-Length': source.byteSize,
    'Content-Disposition': dispositionOf(`delivery-${deliveryId}.eml`),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'private, no-store',
  });
  await pipeline(source.stream, res).catch(() => res.destroy());
}

const challenge = 'Basic realm="Ticketwire", charset="UTF-8"';

/** A path's segment, decoded; what cannot be is nobody's id. */
function decodeSegment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

/** One range of bytes; several, or what is no range, is answered with the whole. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,12})-(\d{0,12})$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  // A range that ends before it begins is none (RFC 9110 §14.1.1).
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < start) return undefined;
  return start >= size || start > end ? 'unsatisfiable' : { start, end };
}

const activeTypes =
  /^(text\/html|application\/(xhtml\+xml|xml|javascript|pdf)|text\/(xml|javascript|css)|image\/svg\+xml)$/;
const inertType = (type: string): string => (activeTypes.test(type) ? 'application/octet-stream' : type);

/** RFC 6266: an ASCII name for old clients, the real one by RFC 8187. */
export function dispositionOf(fileName: string): string {
  const ascii = fileName.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
