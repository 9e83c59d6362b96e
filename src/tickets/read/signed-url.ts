import { createHmac, timingSafeEqual } from 'node:crypto';

/** Default lifetime of a signed URL, in seconds. */
export const defaultUrlSeconds = 300;
/** Longest lifetime of a signed URL, in seconds. */
export const maxUrlSeconds = 3600;

/** Signs and verifies the query parameters of attachment download URLs. */
export interface AttachmentUrls {
  /**
   * Returns the query string, without `?`, that lets its bearer download the attachment as the user. Checks
   * no permission.
   * @param expires when it expires, in seconds since 1970
   */
  sign(attachmentId: number, userId: number, expires: number): string;
  /**
   * The user that the query was signed for, whose permission is not checked. Undefined when the query is
   * incomplete, forged, expired, for another file, or valid for longer than `maxUrlSeconds` (and a minute, as
   * clocks differ). The time of the check does not reveal which.
   */
  userOf(attachmentId: number, query: URLSearchParams, now: Date): number | undefined;
}

/** Names of the query parameters of a signed URL. A request with any of them counts as signed. */
export const signedParameters = ['viewer', 'expires', 'signature'] as const;

/** Creates the signer. @param key secret that all processes of the installation share */
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
