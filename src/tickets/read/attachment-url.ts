import { encodeGlobalId } from '../../platform/global-id.ts';
import type { TicketContext } from '../context.ts';
import type { Attachment } from './attachments.ts';

/** The URL path of an attachment's download. A request to it needs a credential or a signature. */
export const downloadPath = (id: number): string =>
  `/attachments/${encodeURIComponent(encodeGlobalId('Attachment', id))}`;

/**
 * Whether the file can be downloaded: not when it was redacted or is infected. One that awaits its scan can.
 */
export const isServed = ({ blobKey, scan }: Attachment): boolean => blobKey !== null && scan !== 'INFECTED';

/**
 * A signed URL for `<img>` and `<a>`, which needs no credential. It begins with the request's `origin`, which
 * may be empty. Until it expires, its bearer may download this file as the viewer. The viewer's permission is
 * checked again on each use. Null if the file is not served, if nobody is signed in, or if the viewer lacks
 * the scope `read`.
 * @param expiresInSeconds at most `maxUrlSeconds`: a URL that is valid for longer is refused on use
 */
export function attachmentUrl(
  ctx: TicketContext,
  attachment: Attachment,
  expiresInSeconds: number,
): string | null {
  const { viewer, services, origin, now } = ctx;
  if (viewer === undefined || !viewer.scopes.has('read') || !isServed(attachment)) return null;
  const { id, fileName } = attachment;
  const expires = Math.floor(now().getTime() / 1000) + expiresInSeconds;
  const signed = services.attachmentUrls.sign(id, viewer.userId, expires);
  return `${origin}${downloadPath(id)}/${encodeURIComponent(fileName)}?${signed}`;
}
