import { base64Octets } from './compose-bodies.ts';

/** Input for the upper bound of a mail's size. Sizes are bytes of UTF-8. */
export interface SizeInput {
  readonly bodyBytes: number;
  readonly signatureBytes: number;
  readonly quotedBytes: number;
  readonly recipients: number;
  readonly attachments: readonly { readonly byteSize: number }[];
}

/** The most octets that a byte of the body, the signature or a quotation can become in the mail. */
export const octetsOfTextByte = 120;

/**
 * Upper bound of the encoded mail's size, in octets. Close for attachments, far too high for text: each blank
 * could become `&nbsp;`, each link appear three times, and a style sheet be repeated at each element. If the
 * bound is within the mailbox's limit, the mail need not be composed to measure it.
 */
export function encodedSizeUpperBound({
  bodyBytes,
  signatureBytes,
  quotedBytes,
  recipients,
  attachments,
}: SizeInput): number {
  const text = bodyBytes + signatureBytes + quotedBytes;
  return (
    49_152 +
    recipients * 1024 +
    text * octetsOfTextByte +
    attachments.reduce((sum, { byteSize }) => sum + base64Octets(byteSize) + 2048, 0)
  );
}
