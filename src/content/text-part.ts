import { encode, wrap } from 'nodemailer/lib/qp';

export interface EncodedText {
  readonly transferEncoding: '7bit' | 'quoted-printable' | 'base64';
  /** Lines of US-ASCII. */
  readonly octets: Uint8Array;
}

/**
 * A text part for the wire. CRLF, LF and CR are all the line break of mail: neither is ever on the wire
 * alone, where a server might take it for one (SMTP smuggling), nor in what is decoded from there (RFC 2046
 * §4.1.1). Every other character arrives as it was.
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
  // Quoted-printable spends 3 octets on a byte beyond ASCII, base64 4/3 on each: one in six is where they
  // meet.
  const foreign = bytes.length - canonical.replace(/[^\x20-\x7e\t\r\n]/g, '').length;
  return foreign * 6 > bytes.length
    ? { transferEncoding: 'base64', octets: Buffer.from(base64Lines(bytes)) }
    : { transferEncoding: 'quoted-printable', octets: Buffer.from(wrap(encode(bytes), 76)) };
}

const base64Lines = (bytes: Buffer): string => bytes.toString('base64').replace(/.{76}(?!$)/g, '$&\r\n');
