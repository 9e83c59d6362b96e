import { createHash } from 'node:crypto';
import { composeMail, type Envelope } from './compose-mail.ts';
import { messageIdOf } from './headers.ts';
import type { MailParts } from './mail-parts.ts';

/** The mail that a message would become. `text` and `html` are its decoded bodies. */
export interface MailPreview {
  readonly envelope: Envelope;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Size of the mail as sent, in octets, before dot-stuffing. */
  readonly byteSize: number;
  /**
   * A hash of the whole mail with its files and Bcc, as 64 hexadecimal digits. It leaves out Date, Message-ID
   * and what is derived from the Message-ID. In place of In-Reply-To and References, it covers `lastMail`.
   */
  readonly previewHash: string;
}

/** The parts of a mail that has no id and no date yet. */
export interface PreviewParts extends Omit<MailParts, 'date' | 'messageId'> {
  /**
   * Id of the ticket's last delivery, sent or not; null if there is none. The hash covers this id instead of
   * the headers of the thread, because those change whenever another mail is sent.
   */
  readonly lastMail: number | null;
}

/**
 * Composes the mail as it would be sent now, and stores and sends nothing. Two previews have the same hash
 * exactly when their mails are the same in all that `previewHash` covers.
 * @throws Error for a header that cannot be written, see `header`
 */
export async function previewMail(parts: PreviewParts): Promise<MailPreview> {
  // As long as a real id, so that the size is exact.
  const messageId = messageIdOf('00000000-0000-0000-0000-000000000000', parts.from.address);
  const mail = await composeMail({ ...parts, date: new Date(0), messageId });
  const { lastMail, autoSubmitted, bcc } = parts;
  const hash = createHash('sha256')
    .update(JSON.stringify([mail.envelope, bcc, lastMail, autoSubmitted]))
    .update(withoutThread(mail.source.skeleton));
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

/** A mail's bytes without the headers that name other mails. */
function withoutThread(skeleton: Buffer): string {
  const source = skeleton.toString('latin1');
  const end = source.indexOf('\r\nMIME-Version:');
  const headers = source
    .slice(0, end)
    .replace(/\r\n(?:In-Reply-To|References|Auto-Submitted):[^\r]*(?:\r\n[ \t][^\r]*)*/g, '');
  return headers + source.slice(end);
}
