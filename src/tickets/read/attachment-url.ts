import { encodeGlobalId } from '../../platform/global-id.ts';
import type { TicketContext } from '../context.ts';
import type { Attachment } from './attachments.ts';

/** Where an attachment is downloaded from with a credential. */
export const downloadPath = (id: number): string =>
  `/attachments/${encodeURIComponent(encodeGlobalId('Attachment', id))}`;

/**
 * Whether anybody is given the file at all: not once it was redacted, and never when a scanner found
 * something in it.
 */
export const isServed = ({ blobKey, scan }: Attachment): boolean => blobKey !== null && scan !== 'INFECTED';

/**
 * An address for `<img>` and `<a>`, which needs no credential: whoever has it is taken for the viewer, for
 * this file, until it expires. Whether the viewer may see the file is asked again when it is used. Null for
 * what nobody is given, and without the scope that reads.
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
