import { base64Octets } from './bodies.ts';

/** What a mail's size can be told from without making it. Sizes are bytes of UTF-8. */
export interface SizeInput {
  readonly bodyBytes: number;
  readonly signatureBytes: number;
  readonly quotedBytes: number;
  readonly recipients: number;
  readonly attachments: readonly { readonly byteSize: number }[];
}

/**
 * Never less than the encoded mail has, in octets; for attachments close to it, for text far above (each
 * blank could become `&nbsp;`, each link stand there three times, a style sheet be written out at each
 * element). When even this is within the mailbox's limit, nothing needs to be composed.
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
    text * 120 +
    attachments.reduce((sum, { byteSize }) => sum + base64Octets(byteSize) + 2048, 0)
  );
}
