import { createHash } from 'node:crypto';
import type { EncodedText } from '../../content/encode-text-part.ts';
import { encodedText } from '../../content/read-message-body.ts';
import { envelopeAddress, needsSmtpUtf8 } from '../address.ts';
import { type Bodies, mailBodies } from './compose-bodies.ts';
import {
  addressList,
  disposition,
  header,
  headerText,
  mailFileName,
  safeContentType,
  threading,
} from './headers.ts';
import type { AttachmentPart, MailParts } from './mail-parts.ts';
import { type MailSource, sourceOctets } from './stored-mail.ts';

/** The addresses of the SMTP transaction. */
export interface Envelope {
  /** The sender in the form for MAIL FROM. */
  readonly from: string;
  /** To, Cc and Bcc in this order, in the form for RCPT TO. */
  readonly to: readonly string[];
}

/** A mail, ready to send. */
export interface ComposedMail {
  readonly envelope: Envelope;
  /**
   * Whether From, To or Cc has an address whose local part is not ASCII. Such a mail needs a server with
   * SMTPUTF8, whatever its recipients.
   */
  readonly hasUtf8Headers: boolean;
  readonly bodies: Bodies;
  /** The files that are part of it, in their order: the pictures in the HTML, then the attached ones. */
  readonly files: readonly AttachmentPart[];
  /** The exact bytes, attachments by reference. */
  readonly source: MailSource;
  /** Octets of the whole mail as sent, before dot-stuffing. */
  readonly byteSize: number;
}

/**
 * Composes a mail. The same parts give the same bytes. Bcc is in the envelope only. Lines have at most 76
 * octets, except addresses and ids that cannot be folded (998). Files are not read.
 * @throws Error for a header that cannot be written, see `header`
 */
export async function composeMail(parts: MailParts): Promise<ComposedMail> {
  const seed = createHash('sha256').update(parts.messageId).digest('hex').slice(0, 32);
  const bodies = await mailBodies(parts, seed);
  const writer = new SourceWriter();
  writer.lines(...rootHeaders(parts), 'MIME-Version: 1.0');
  const [text, html] = await Promise.all([encodedText(bodies.text), encodedText(bodies.html)]);
  writeMixed(writer, seed, { text, html, inline: bodies.inline, attached: bodies.attached });
  const source = writer.end();
  return {
    envelope: {
      from: envelopeAddress(parts.from.address),
      to: [...parts.to, ...parts.cc, ...parts.bcc].map(({ address }) => envelopeAddress(address)),
    },
    hasUtf8Headers: hasUtf8Headers(parts),
    bodies,
    files: [...bodies.inline.map(({ part }) => part), ...bodies.attached],
    source,
    byteSize: sourceOctets(source),
  };
}

/** Whether From, To or Cc has an address whose local part is not ASCII. Bcc does not count. */
export const hasUtf8Headers = ({ from, to, cc }: Pick<MailParts, 'from' | 'to' | 'cc'>): boolean =>
  [from, ...to, ...cc].some(({ address }) => needsSmtpUtf8(address));

function rootHeaders(parts: MailParts): string[] {
  const { inReplyTo, references } = threading(parts.thread);
  return [
    header('From', addressList([parts.from])),
    header('To', addressList(parts.to)),
    ...(parts.cc.length === 0 ? [] : [header('Cc', addressList(parts.cc))]),
    header('Subject', headerText(parts.subject)),
    ...(parts.language === null ? [] : [header('Content-Language', parts.language)]),
    header('Date', parts.date.toUTCString().replace('GMT', '+0000')),
    header('Message-ID', parts.messageId),
    ...(inReplyTo === undefined ? [] : [header('In-Reply-To', inReplyTo), header('References', references)]),
    ...(parts.autoSubmitted
      ? [header('Auto-Submitted', inReplyTo === undefined ? 'auto-generated' : 'auto-replied')]
      : []),
  ];
}

/** The transfer-encoded bodies. */
interface EncodedBodies extends Pick<Bodies, 'inline' | 'attached'> {
  readonly text: EncodedText;
  readonly html: EncodedText;
}

function writeMixed(writer: SourceWriter, seed: string, bodies: EncodedBodies): void {
  const { attached } = bodies;
  if (attached.length === 0) {
    writeAlternative(writer, seed, bodies);
    return;
  }
  writer.multipart('mixed', `--=_m${seed}`, [
    () => writeAlternative(writer, seed, bodies),
    ...attached.map(
      (part, n) => () =>
        writeFile(writer, part, [
          header('Content-Disposition', disposition('attachment', mailFileName(part.fileName, n + 1))),
        ]),
    ),
  ]);
}

function writeAlternative(writer: SourceWriter, seed: string, { text, html, inline }: EncodedBodies): void {
  writer.multipart('alternative', `--=_a${seed}`, [
    () => writeText(writer, 'text/plain', text),
    inline.length === 0
      ? () => writeText(writer, 'text/html', html)
      : () =>
          writer.multipart('related', `--=_r${seed}`, [
            () => writeText(writer, 'text/html', html),
            ...inline.map(
              ({ part, contentId }, n) =>
                () =>
                  writeFile(writer, part, [
                    header('Content-Disposition', disposition('inline', mailFileName(part.fileName, n + 1))),
                    header('Content-ID', `<${contentId}>`),
                  ]),
            ),
          ]),
  ]);
}

function writeText(writer: SourceWriter, type: string, { transferEncoding, octets }: EncodedText): void {
  writer.lines(`Content-Type: ${type}; charset=utf-8`, `Content-Transfer-Encoding: ${transferEncoding}`, '');
  writer.octets(octets);
}

function writeFile(writer: SourceWriter, part: AttachmentPart, headers: readonly string[]): void {
  writer.lines(
    header('Content-Type', safeContentType(part.contentType)),
    'Content-Transfer-Encoding: base64',
    ...headers,
    '',
  );
  writer.insert(part);
}

class SourceWriter {
  readonly #chunks: Uint8Array[] = [];
  readonly #inserts: { offset: number; blobKey: string; byteSize: number }[] = [];
  #length = 0;

  octets(octets: Uint8Array): void {
    this.#chunks.push(octets);
    this.#length += octets.length;
  }

  raw(text: string): void {
    this.octets(Buffer.from(text));
  }

  lines(...lines: readonly string[]): void {
    this.raw(lines.map((line) => `${line}\r\n`).join(''));
  }

  insert({ blobKey, byteSize }: AttachmentPart): void {
    this.#inserts.push({ offset: this.#length, blobKey, byteSize });
  }

  multipart(subtype: string, boundary: string, children: readonly (() => void)[]): void {
    this.lines(`Content-Type: multipart/${subtype}; boundary="${boundary}"`, '');
    for (const [n, child] of children.entries()) {
      this.raw(`${n === 0 ? '' : '\r\n'}--${boundary}\r\n`);
      child();
    }
    this.raw(`\r\n--${boundary}--\r\n`);
  }

  end(): MailSource {
    return { skeleton: Buffer.concat(this.#chunks, this.#length), inserts: this.#inserts };
  }
}
