import { createHmac, timingSafeEqual } from 'node:crypto';
import { encodeGlobalId } from '../global-id.ts';
import type { Attachment } from './attachment.ts';
import type { DeskContext } from './desk.ts';

/** Seconds that a signed address holds. */
export const defaultUrlSeconds = 300;
export const maxUrlSeconds = 3600;

/** Where an attachment is downloaded from with a credential. */
export const downloadPath = (id: number): string =>
  `/attachments/${encodeURIComponent(encodeGlobalId('Attachment', id))}`;

/** Signs addresses of attachments, and tells whom one was signed for. */
export interface AttachmentUrls {
  /** @param expires seconds since 1970 */
  sign(attachmentId: number, userId: number, expires: number): string;
  /** The user whom it was signed for; undefined: forged, expired, or signed for another file. Which of these takes no longer or shorter. */
  userOf(attachmentId: number, query: URLSearchParams, now: Date): number | undefined;
}

/** Query parameters of a signed address. Whatever has one of them claims to be one. */
export const signedParameters = ['viewer', 'expires', 'signature'] as const;

/** @param key the desk's, so that each of its processes knows the addresses of the others */
export function createAttachmentUrls(key: Buffer): AttachmentUrls {
  const signatureOf = (attachmentId: number, userId: number, expires: number): Buffer =>
    createHmac('sha256', key).update(`attachment ${attachmentId} for ${userId} until ${expires}`).digest();
  return {
    sign(attachmentId, userId, expires) {
      const signature = signatureOf(attachmentId, userId, expires).toString('base64url');
      return `viewer=${userId}&expires=${expires}&signature=${signature}`;
    },
    userOf(attachmentId, query, now) {
      const [userId, expires, signature] = signedParameters.map((name) => {
        const values = query.getAll(name);
        return values.length === 1 ? values[0]! : '';
      });
      const [user, until] = [userId, expires].map((text) =>
        /^[1-9]\d{0,11}$/.test(text!) ? Number(text) : 0,
      );
      const expected = signatureOf(attachmentId, user!, until!);
      const offered = Buffer.from(signature!, 'base64url');
      const genuine = offered.length === expected.length && timingSafeEqual(offered, expected);
      const seconds = now.getTime() / 1000;
      return genuine && until! > seconds && until! <= seconds + maxUrlSeconds + 60 ? user : undefined;
    },
  };
}

/** Whether anybody is given the file at all: not once it was redacted, and never when a scanner found something in it. */
export const isServed = ({ blobKey, scan }: Attachment): boolean => blobKey !== null && scan !== 'INFECTED';

/**
 * An address for `<img>` and `<a>`, which needs no credential: whoever has it is taken for the viewer, for this file, until it expires.
 * Whether the viewer may see the file is asked again when it is used. Null for what nobody is given, and without the scope that reads.
 */
export function attachmentUrl(
  ctx: DeskContext,
  attachment: Attachment,
  expiresInSeconds: number,
): string | null {
  const { viewer, desk, origin, now } = ctx;
  if (viewer === undefined || !viewer.scopes.has('read') || !isServed(attachment)) return null;
  const { id, fileName } = attachment;
  const expires = Math.floor(now().getTime() / 1000) + expiresInSeconds;
  const signed = desk.attachmentUrls.sign(id, viewer.userId, expires);
  return `${origin}${downloadPath(id)}/${encodeURIComponent(fileName)}?${signed}`;
}
