import { createHash } from 'node:crypto';
import { composeMail, type Envelope } from './compose.ts';
import { messageIdOf } from './header.ts';
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

/** The mail as it would be sent now. Two previews have one hash exactly when their mails are the same. */
export async function previewMail(parts: PreviewParts): Promise<MailPreview> {
  // As long as a real one, so that the size is exact.
  const messageId = messageIdOf('00000000-0000-0000-0000-000000000000', parts.from.address);
  const mail = await composeMail({ ...parts, date: new Date(0), messageId });
  const hash = createHash('sha256')
    .update(JSON.stringify([mail.envelope, parts.bcc]))
    .update(mail.source.skeleton);
  for (const { sha256, byteSize } of mail.files) hash.update(`\0${byteSize}\0`).update(sha256);
  return {
    envelope: mail.envelope,
    subject: parts.subject,
    text: mail.bodies.text,
    html: mail.bodies.html,
    byteSize: mail.byteSize,
    previewHash: hash.digest('hex'),
  };
}
