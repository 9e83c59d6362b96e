import { buildHeaderValue, encodeWord, foldLines, quoteString } from 'nodemailer/lib/mime-funcs';
import { isInvisible, withoutMisleading } from '../../content/dom/misleading-characters.ts';
import { parseMediaType, unknownType, writeMediaType } from '../../content/media-type.ts';
import { envelopeAddress, needsSmtpUtf8 } from '../address.ts';
import type { NamedAddress } from './mail-parts.ts';

/** Longest word that can be folded. Longer words are encoded. */
const longestWord = 60;
/**
 * RFC 5322 §2.1.1. Lines are folded at 76. Unfolded References stay below this too, because some servers
 * unfold before they count.
 */
const maxLineOctets = 998;
const maxFileNameCharacters = 120;

/**
 * Writes one header, folded at 76 octets, with CRLF between its lines and none at the end.
 * @throws Error for a control character other than a tab, and for a line that cannot be folded below 998
 *   octets
 */
export function header(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a value may hold none.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw new Error(`control character in header ${name}`);
  // A value that cannot be folded stays on the header's first line, as few parsers expect that line to be
  // empty.
  const folded = foldLines(`${name}: ${value}`, 76).replace(/^([^:]+:)\r\n[ \t]+/, '$1 ');
  if (folded.split('\r\n').some((line) => Buffer.byteLength(line) > maxLineOctets))
    throw new Error(`header ${name} has a line of more than ${maxLineOctets} octets`);
  return folded;
}

/**
 * The value of a header with free text: unchanged when it is plain ASCII that can be folded, else as RFC 2047
 * encoded words.
 */
export function headerText(text: string): string {
  return isPlain(text) ? text : encodeText(text);
}

/**
 * The value of From, To or Cc. Names that are not plain ASCII are encoded. A domain is in ASCII, unless the
 * local part is not.
 */
export function addressList(people: readonly NamedAddress[]): string {
  return people.map(mailboxOf).join(', ');
}

function mailboxOf({ name, address }: NamedAddress): string {
  // An address that needs SMTPUTF8 may have its domain in Unicode as well. Any other stays ASCII.
  const spec = needsSmtpUtf8(address) ? address : envelopeAddress(address);
  const shown = name.trim();
  if (shown === '') return `<${spec}>`;
  const phrase = !isPlain(shown) ? encodeText(shown) : /^[\w ]*$/.test(shown) ? shown : quoteString(shown);
  return `${phrase} <${spec}>`;
}

/**
 * Whether text is printable ASCII that can be folded and does not look like an encoded word. With two blanks
 * in a row, folding could leave a trailing blank, which servers strip, or a blank line, which RFC 5322
 * forbids.
 */
function isPlain(text: string): boolean {
  return (
    /^[\x20-\x7e]*$/.test(text) &&
    !/=\?| {2}/.test(text) &&
    text.trim() === text &&
    !text.split(/\s+/).some((word) => word.length > longestWord)
  );
}

function encodeText(text: string): string {
  const ascii = text.replace(/[^\x20-\x7e]/g, '').length;
  return encodeWord(text.toWellFormed(), ascii * 2 > text.length ? 'Q' : 'B', 52);
}

/**
 * Makes a Message-ID with its angle brackets, in the sender's domain. It is ASCII, whatever the mailbox's
 * address is written in.
 * @param unique the part before the `@`
 * @param sender an address that `parseAddress` accepts
 */
export function messageIdOf(unique: string, sender: string): string {
  const envelope = envelopeAddress(sender);
  return `<${unique}@${envelope.slice(envelope.lastIndexOf('@') + 1)}>`;
}

/** Longest Message-ID that fits one line of In-Reply-To, in octets. */
export const maxMessageIdOctets = 900;

/** Whether a header can name this Message-ID: `<…@…>`, visible ASCII, short enough for a line. */
export const isMessageId = (id: string): boolean =>
  id.length <= maxMessageIdOctets && /^<[!-;=?-~]+@[!-;=?-~]+>$/.test(id);

/**
 * The values of In-Reply-To, which names the previous mail, and of References, which names the first mail of
 * the thread and as many of the last as fit one line of 998 octets (RFC 5322). Malformed and repeated ids are
 * left out.
 * @param thread Message-IDs of earlier mails, oldest first
 * @returns undefined and an empty text when there is none
 */
export function threading(thread: readonly string[]): { inReplyTo: string | undefined; references: string } {
  const ids = [...new Set(thread.filter(isMessageId))];
  const [first, ...rest] = ids;
  if (first === undefined) return { inReplyTo: undefined, references: '' };
  const kept: string[] = [];
  let octets = 'References: '.length + first.length;
  for (const id of rest.reverse()) {
    octets += 1 + id.length;
    // The previous mail is always named, if need be on a line of its own.
    if (octets > maxLineOctets - 2 && kept.length > 0) break;
    kept.unshift(id);
  }
  return { inReplyTo: ids.at(-1), references: [first, ...kept].join(' ') };
}

/**
 * Makes a file's name safe to show: no path, no control or bidirectional character, at most 120 characters
 * with its extension. Joiners stay.
 * @param position from 1; a file without a visible name becomes `attachment-N`
 */
export function mailFileName(fileName: string, position: number): string {
  const clean = withoutMisleading(fileName.toWellFormed())
    .replace(/\ufffd/g, '')
    .replace(/[/\\]/g, '_')
    .trim()
    .replace(/^\.+$/, '');
  if (isInvisible(clean)) return `attachment-${position}`;
  const characters = [...clean];
  if (characters.length <= maxFileNameCharacters) return clean;
  const extension = /\.[^.]{1,12}$/.exec(clean)?.[0] ?? '';
  return characters.slice(0, maxFileNameCharacters - [...extension].length).join('') + extension;
}

/**
 * The value of Content-Disposition by RFC 2183, with a name as in RFC 2231. It takes a safe name, see
 * `mailFileName`.
 */
export const disposition = (kind: 'attachment' | 'inline', filename: string): string =>
  buildHeaderValue({ value: kind, params: { filename } });

/**
 * The declared media type with its parameters when it is well formed, else `application/octet-stream`.
 * Composite types may not be base64 (RFC 2046 §5), so they become octet-stream too.
 */
export function safeContentType(contentType: string): string {
  const type = parseMediaType(contentType);
  return type === undefined || /^(?:multipart|message)\//.test(type.essence)
    ? unknownType
    : writeMediaType(type);
}
