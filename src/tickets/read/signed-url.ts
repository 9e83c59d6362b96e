import { createHmac, timingSafeEqual } from 'node:crypto';

/** Seconds that a signed address holds. */
export const defaultUrlSeconds = 300;
export const maxUrlSeconds = 3600;

/** Signs addresses of attachments, and tells whom one was signed for. */
export interface AttachmentUrls {
  /** @param expires seconds since 1970 */
  sign(attachmentId: number, userId: number, expires: number): string;
  /**
   * The user whom it was signed for; undefined: forged, expired, or signed for another file. Which of these
   * takes no longer or shorter.
   */
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
