import { encode, wrap } from 'nodemailer/lib/qp';
import { escapeHtml, htmlToPlainText, plainTextToHtml, sanitiseHtml } from '../content/html.ts';
import type { MailParts, QuotedMessage } from './parts.ts';

/** Characters of earlier messages that a mail repeats at most; older ones are then named as left out. */
const maxQuotedCharacters = 100_000;

/** What the recipient reads, once as text and once as HTML. Line breaks are LF or as the author wrote them. */
export interface Bodies {
  readonly text: string;
  readonly html: string;
}

export function mailBodies({
  body,
  format,
  signature,
  quoted,
}: Pick<MailParts, 'body' | 'format' | 'signature' | 'quoted'>): Bodies {
  const own = bothOf(body, format);
  const { shown, omitted } = withinBound(quoted);
  const more = omitted === 0 ? '' : `(${omitted} older ${omitted === 1 ? 'message' : 'messages'} left out)`;
  const text = [
    own.text,
    ...(signature === '' ? [] : [`-- \n${signature}`]),
    ...shown.map(
      (message) =>
        `${attribution(message)}\n${bothOf(message.body, message.format).text.replace(/^/gm, '> ')}`,
    ),
    ...(more === '' ? [] : [more]),
  ].join('\n\n');
  const html = [
    own.html,
    ...(signature === '' ? [] : [`<div>-- <br>\n${plainTextToHtml(signature)}</div>`]),
    ...shown.map(
      (message) =>
        `<div>${escapeHtml(attribution(message))}</div>\n<blockquote>${bothOf(message.body, message.format).html}</blockquote>`,
    ),
    ...(more === '' ? [] : [`<div>${more}</div>`]),
  ].join('\n<br>\n');
  return {
    text,
    html: `<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n${html}\n</body></html>`,
  };
}

function bothOf(body: string, format: MailParts['format']): Bodies {
  return format === 'TEXT'
    ? { text: body, html: `<div>${plainTextToHtml(body)}</div>` }
    : { text: htmlToPlainText(body), html: `<div>${sanitiseHtml(body)}</div>` };
}

function withinBound(quoted: readonly QuotedMessage[]): { shown: readonly QuotedMessage[]; omitted: number } {
  let characters = 0;
  const end = quoted.findIndex(({ body }) => {
    characters += body.length;
    return characters > maxQuotedCharacters;
  });
  return end === -1
    ? { shown: quoted, omitted: 0 }
    : { shown: quoted.slice(0, end), omitted: quoted.length - end };
}

const attribution = ({ author, at }: QuotedMessage): string =>
  `On ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${author} wrote:`;

export interface EncodedText {
  readonly transferEncoding: '7bit' | 'quoted-printable' | 'base64';
  readonly lines: string;
}

/**
 * A text part for the wire. LF and CRLF are both the line break of mail; every other character arrives as it was: a lone CR, which
 * a server might take for a line break (SMTP smuggling), is never on the wire as itself.
 */
export function encodeTextPart(text: string): EncodedText {
  const canonical = text.toWellFormed().replace(/\r?\n/g, '\r\n');
  const bytes = Buffer.from(canonical);
  if (
    /^[\x20-\x7e\t\r\n]*$/.test(canonical) &&
    !/[ \t](?:\r|$)|\r(?!\n)/.test(canonical) &&
    canonical.split('\r\n').every((line) => line.length <= 76)
  )
    return { transferEncoding: '7bit', lines: canonical };
  // Quoted-printable spends 3 octets on a byte beyond ASCII, base64 4/3 on each: one in six is where they meet.
  const foreign = bytes.length - canonical.replace(/[^\x20-\x7e\t\r\n]/g, '').length;
  if (foreign * 6 > bytes.length || /\r(?!\n)/.test(canonical))
    return { transferEncoding: 'base64', lines: base64Lines(bytes) };
  return { transferEncoding: 'quoted-printable', lines: wrap(encode(bytes), 76) };
}

export const base64Lines = (bytes: Buffer): string =>
  bytes.toString('base64').replace(/.{76}(?!$)/g, '$&\r\n');

/** Octets of the base64 lines of so many bytes: 57 bytes a line, CRLF between lines. */
export const base64Octets = (bytes: number): number =>
  4 * Math.ceil(bytes / 3) + 2 * Math.max(0, Math.ceil(bytes / 57) - 1);
