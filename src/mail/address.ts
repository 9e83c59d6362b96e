import { domainToASCII } from 'node:url';
import { memoize } from '../platform/memoize.ts';

/**
 * An e-mail address, or in `message` why the text is not one, as a sentence for people without its final dot.
 */
export type ParsedAddress =
  | {
      readonly ok: true;
      /** The addr-spec as written, without blanks and tabs around it. */
      readonly address: string;
      /**
       * The local part is not ASCII: the server must offer SMTPUTF8 (RFC 6531). An IDN alone does not need
       * it.
       */
      readonly needsSmtpUtf8: boolean;
    }
  | { readonly ok: false; readonly message: string };

/** RFC 5321 §4.5.3.1: octets. 254 is a path of 256 without its angle brackets. */
const maxLocalOctets = 64;
const maxAddressOctets = 254;

// Beyond ASCII (RFC 6531) only what can be seen: no control, format (bidi overrides), separator or unassigned
// character.
const visible = String.raw`(?![\p{C}\p{Z}])[^\x00-\x7f]`;
const atom = String.raw`(?:[A-Za-z0-9!#$%&'*+/=?^_\x60{|}~-]|${visible})+`;
const dotAtom = new RegExp(String.raw`^${atom}(?:\.${atom})*$`, 'u');
// Angle brackets are legal inside quotes, but many programs that parse addresses fail on them.
const quotedString = new RegExp(String.raw`^"(?:[ !#-;=?-\[\]-~]|${visible}|\\[ -;=?-~])*"$`, 'u');
// One class: with two that share letters, each letter doubles the time until a label is refused.
const domainLabel = /^(?!-)[\p{L}\p{M}\p{N}\u00b7\u0375\u05f3\u05f4\u30fb-]+(?<!-)$/u;
/** The same addresses occur several times within a command and between commands, so results are cached. */
const rememberedAddresses = { texts: 1000, longest: maxAddressOctets };
const refuse = (message: string): ParsedAddress => ({ ok: false, message });

/**
 * Parses exactly one RFC 5322/6531 addr-spec: no display name, group, comment, list, angle brackets or line
 * break. It may have 254 octets in its form for SMTP, 64 of them before the @. Blanks and tabs around it are
 * ignored. Address literals (`user@[192.0.2.1]`) are refused: they name a machine, and mail to them bypasses
 * the domain's MX.
 * @returns a `ParsedAddress`; it never throws
 */
export const parseAddress = memoize(readAddress, rememberedAddresses);

function readAddress(text: string): ParsedAddress {
  // Checked before trimming, which is quadratic: a megabyte of blanks would take minutes.
  if (text.length > 4 * maxAddressOctets) return refuse(tooLong);
  const address = text.replace(/^[ \t]+|[ \t]+$/g, '');
  if (address === '') return refuse('An e-mail address is empty');
  if (/[\r\n\0]/.test(address)) return refuse('An e-mail address may not contain a line break or NUL');
  if (address.length > maxAddressOctets) return refuse(tooLong);
  const at = address.lastIndexOf('@');
  if (at < 0) return refuse('Not an e-mail address: there is no @');
  const local = address.slice(0, at);
  const problem = localProblem(local) ?? domainProblem(address.slice(at + 1));
  if (problem !== undefined) return refuse(problem);
  if (Buffer.byteLength(envelopeAddress(address)) > maxAddressOctets) return refuse(tooLong);
  return { ok: true, address, needsSmtpUtf8: needsSmtpUtf8(address) };
}

const tooLong = `An e-mail address may not be longer than ${maxAddressOctets} bytes`;

function localProblem(local: string): string | undefined {
  if (local === '') return 'Not an e-mail address: there is nothing before the @';
  if (Buffer.byteLength(local) > maxLocalOctets)
    return `The part of an e-mail address before the @ may not be longer than ${maxLocalOctets} bytes`;
  if (dotAtom.test(local) || quotedString.test(local)) return undefined;
  return /[,;:<>()@]/.test(local)
    ? 'Give one e-mail address only: no name, list, group, comment or angle brackets'
    : 'Not an e-mail address: a character before the @ is not allowed there';
}

function domainProblem(domain: string): string | undefined {
  if (domain === '') return 'Not an e-mail address: there is nothing after the @';
  if (/[,;:<>()\s]/.test(domain))
    return 'Give one e-mail address only: no name, list, group, comment or angle brackets';
  if (domain.startsWith('[')) return 'An e-mail address needs a domain name, not the address of a machine';
  const labels = domain.split('.');
  const ascii = domainToASCII(domain);
  const wrong =
    !labels.every((label) => domainLabel.test(label)) ||
    ascii === '' ||
    ascii.length > 253 ||
    // domainToASCII reads `1.2.3` as a machine's address, and maps other characters to dots. In both cases
    // the number of labels changes.
    /(?:^|\.)\d+$/.test(ascii) ||
    ascii.split('.').length !== labels.length ||
    ascii.split('.').some((label) => label.length > 63);
  return wrong ? 'Not an e-mail address: the domain after the @ is not valid' : undefined;
}

/**
 * Whether a server must offer SMTPUTF8 to be given this address: its local part is not ASCII. The domain does
 * not matter.
 */
export function needsSmtpUtf8(address: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is ASCII itself.
  return /[^\x00-\x7f]/.test(address.slice(0, address.lastIndexOf('@')));
}

/**
 * The address as SMTP is given it: the local part as written, the domain in ASCII (punycode) and lower case.
 * It takes what `parseAddress` accepts.
 */
export const envelopeAddress = memoize((address) => {
  const at = address.lastIndexOf('@');
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1))}`;
}, rememberedAddresses);

/**
 * The key by which addresses are compared: two addresses with the same key are one recipient. Domains have no
 * case. A local part is compared with its case, although few servers distinguish `Jane` from `jane` (RFC 5321
 * §2.4): a second copy is a nuisance, but treating two recipients as one loses a mail. Quotes that are not
 * needed (`"jane"@…`) name the same mailbox, and so do two spellings that NFC makes equal. It takes what
 * `parseAddress` accepts.
 */
export const addressKey = memoize(keyOf, rememberedAddresses);

/**
 * A regular expression of PostgreSQL for addresses that are their own `addressKey`: an unquoted ASCII local
 * part, and an ASCII domain in lower case. SQL may compare these with keys; any other address needs
 * `addressKey` first.
 */
export const ownKeyPattern = "^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[a-z0-9.-]+$";

function keyOf(address: string): string {
  const plain = envelopeAddress(address).normalize('NFC');
  const at = plain.lastIndexOf('@');
  const local = plain.slice(0, at);
  if (!local.startsWith('"')) return plain;
  const bare = local.slice(1, -1).replace(/\\(.)/gu, '$1');
  return `${dotAtom.test(bare) ? bare : `"${bare.replace(/["\\]/g, '\\$&')}"`}${plain.slice(at)}`;
}
