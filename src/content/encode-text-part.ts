import { encode, wrap } from 'nodemailer/lib/qp';

/** A text part of a mail, encoded for the wire. */
export interface EncodedText {
  readonly transferEncoding: '7bit' | 'quoted-printable' | 'base64';
  /** US-ASCII with CRLF line ends. */
  readonly octets: Uint8Array;
}

/**
 * Encodes a text part for the wire, as UTF-8. CRLF, LF and CR all become CRLF: a bare LF or CR would allow
 * SMTP smuggling, and is invalid in decoded text (RFC 2046 §4.1.1). A lone surrogate becomes U+FFFD. All
 * other characters are preserved. The encoding is `7bit` for printable ASCII in lines of up to 76 characters
 * without trailing blanks, `base64` when more than one byte in six is neither printable ASCII nor a tab or a
 * line end, else `quoted-printable`. No encoded line is longer than 76 characters.
 */
export function encodeTextPart(text: string): EncodedText {
  const canonical = text.toWellFormed().replace(/\r\n|\r|\n/g, '\r\n');
  const bytes = Buffer.from(canonical);
  if (
    /^[\x20-\x7e\t\r\n]*$/.test(canonical) &&
    !/[ \t](?:\r|$)/.test(canonical) &&
    canonical.split('\r\n').every((line) => line.length <= 76)
  )
    return { transferEncoding: '7bit', octets: bytes };
  // Quoted-printable takes 3 octets per non-ASCII byte, base64 4/3 per byte: they break even at one in six.
  const foreign = bytes.length - canonical.replace(/[^\x20-\x7e\t\r\n]/g, '').length;
  return foreign * 6 > bytes.length
    ? { transferEncoding: 'base64', octets: Buffer.from(base64Lines(bytes)) }
    : { transferEncoding: 'quoted-printable', octets: Buffer.from(wrap(encode(bytes), 76)) };
}

const base64Lines = (bytes: Buffer): string => bytes.toString('base64').replace(/.{76}(?!$)/g, '$&\r\n');
