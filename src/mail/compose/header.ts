import { buildHeaderValue, encodeWord, foldLines, quoteString } from 'nodemailer/lib/mime-funcs';
import { isInvisible, withoutMisleading } from '../../content/dom/hidden-characters.ts';
import { parseMediaType, unknownType, writeMediaType } from '../../content/media-type.ts';
import { envelopeAddress, needsSmtpUtf8 } from '../address.ts';
import type { NamedAddress } from './parts.ts';

/**
 * Shorter than a header line: what has no blank for longer than this cannot be folded and is encoded instead.
 */
const longestWord = 60;
/**
 * RFC 5322 §2.1.1. Folding is at 76; unfolded References stay below this too, for servers that unfold before
 * they count.
 */
const maxLineOctets = 998;
const maxFileNameCharacters = 120;

/**
 * One folded header. A value that could end its line early, or that no folding makes short enough, is a fault
 * of ours.
 */
export function header(name: string, value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a value may hold none.
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw new Error(`control character in header ${name}`);
  // What cannot be folded stays on the line of its name, which few readers expect to be empty.
  const folded = foldLines(`${name}: ${value}`, 76).replace(/^([^:]+:)\r\n[ \t]+/, '$1 ');
  if (folded.split('\r\n').some((line) => Buffer.byteLength(line) > maxLineOctets))
    throw new Error(`header ${name} has a line of more than ${maxLineOctets} octets`);
  return folded;
}

/** Free text: as it is when plain, else RFC 2047 encoded words. */
export function headerText(text: string): string {
  return isPlain(text) ? text : encodeText(text);
}

export function addressList(people: readonly NamedAddress[]): string {
  return people.map(mailboxOf).join(', ');
}

function mailboxOf({ name, address }: NamedAddress): string {
  // A mail whose address needs SMTPUTF8 may say its domain in Unicode as well; any other header stays ASCII.
  const spec = needsSmtpUtf8(address) ? address : envelopeAddress(address);
  const shown = name.trim();
  if (shown === '') return `<${spec}>`;
  const phrase = !isPlain(shown) ? encodeText(shown) : /^[\w ]*$/.test(shown) ? shown : quoteString(shown);
  return `${phrase} <${spec}>`;
}

/**
 * Printable ASCII that can be folded, and that no reader takes for an encoded word. Where two blanks follow
 * each other a line could end in one, which servers cut off, or consist of nothing else, which RFC 5322
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

/** A Message-ID of the sender's domain: ASCII, whatever the mailbox's address is written in. */
export function messageIdOf(unique: string, sender: string): string {
  const envelope = envelopeAddress(sender);
  return `<${unique}@${envelope.slice(envelope.lastIndexOf('@') + 1)}>`;
}

/** Octets of a Message-ID that can be answered: a line of In-Reply-To holds one. */
export const maxMessageIdOctets = 900;

/** Whether a mail can name this Message-ID: `<…@…>`, visible ASCII, not too long for a line. */
export const isMessageId = (id: string): boolean =>
  id.length <= maxMessageIdOctets && /^<[!-;=?-~]+@[!-;=?-~]+>$/.test(id);

/**
 * What In-Reply-To and References name: the mail before this one; and the first of the thread with as many of
 * the last as fit one line, as RFC 5322 readers count it. Ids that are not well-formed are left out.
 */
export function threading(thread: readonly string[]): { inReplyTo: string | undefined; references: string } {
  const ids = [...new Set(thread.filter(isMessageId))];
  const [first, ...rest] = ids;
  if (first === undefined) return { inReplyTo: undefined, references: '' };
  const kept: string[] = [];
  let octets = 'References: '.length + first.length;
  for (const id of rest.reverse()) {
    octets += 1 + id.length;
    // The mail that is answered is always named: after a very long first id on a line of its own.
    if (octets > maxLineOctets - 2 && kept.length > 0) break;
    kept.unshift(id);
  }
  return { inReplyTo: ids.at(-1), references: [first, ...kept].join(' ') };
}

/**
 * A file's name as a recipient may be shown it: no path, no control, no change of direction, not too long.
 * Joiners stay.
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

/** RFC 2183 with RFC 2231 names. */
export const disposition = (kind: 'attachment' | 'inline', filename: string): string =>
  buildHeaderValue({ value: kind, params: { filename } });

/**
 * The sender's word for a type where it is a sound one, with its parameters: a text says its character set by
 * them. Composite types may not be base64 (RFC 2046 §5), so they become plain bytes.
 */
export function safeContentType(contentType: string): string {
  const type = parseMediaType(contentType);
  return type === undefined || /^(?:multipart|message)\//.test(type.essence)
    ? unknownType
    : writeMediaType(type);
}
