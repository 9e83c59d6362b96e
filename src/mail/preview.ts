import { createHash } from 'node:crypto';
import { composeMail, type Envelope } from './compose.ts';
import type { MailParts } from './parts.ts';

export interface MailPreview {
  readonly envelope: Envelope;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Octets of the mail as encoded. */
  readonly byteSize: number;
  /** 64 hexadecimal digits over all of the mail, blind copies included, but Date, Message-ID and the boundaries made from it. */
  readonly previewHash: string;
}

export type PreviewParts = Omit<MailParts, 'date' | 'messageId'>;

/** The mail as it would be sent now; pure. Two previews have one hash exactly when their mails are the same. */
export function previewMail(parts: PreviewParts): MailPreview {
  // As long as a real one, so that the size is exact.
  const domain = parts.from.address.slice(parts.from.address.lastIndexOf('@') + 1);
  const messageId = `<00000000-0000-0000-0000-000000000000@${domain}>`;
  const mail = composeMail({ ...parts, date: new Date(0), messageId });
  const hash = createHash('sha256')
    .update(JSON.stringify([mail.envelope, parts.bcc]))
    .update(mail.source.skeleton);
  for (const { sha256, byteSize } of parts.attachments) hash.update(`\0${byteSize}\0`).update(sha256);
  return {
    envelope: mail.envelope,
    subject: parts.subject,
    text: mail.bodies.text,
    html: mail.bodies.html,
    byteSize: mail.byteSize,
    previewHash: hash.digest('hex'),
  };
}
