import PostalMime, { type Address, type Attachment, type Email } from 'postal-mime';
import type { MailSummary } from '../../db/tables.ts';

/** A file in a mail, or an image in its HTML. */
export interface MailFile {
  /** Display name; never used as a path. */
  readonly fileName: string;
  /** As declared by the sender. */
  readonly contentType: string;
  readonly content: Buffer;
  /** Without angle brackets; the HTML refers to it as `cid:`. */
  readonly contentId: string | undefined;
  /** Shown inside the HTML rather than listed as an attachment. */
  readonly inline: boolean;
}

/** A parsed mail. */
export interface MailContent extends MailSummary {
  /** `<…@…>`; empty if there is none. */
  readonly messageId: string;
  /** The HTML as it was sent; undefined if the mail has none. */
  readonly html: string | undefined;
  /** The plain text; undefined if the mail has none. */
  readonly text: string | undefined;
  /** All of them, as written and in their order, unfolded. */
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  readonly files: readonly MailFile[];
}

/**
 * Parses a mail with its files. Never rejects: if the mail cannot be parsed, its source becomes its text, and
 * the subject says so.
 * @param source the mail as it was received
 */
export async function readMail(source: Buffer): Promise<MailContent> {
  const mail = await PostalMime.parse(source).catch((): undefined => undefined);
  return mail === undefined ? unreadable(source) : contentOf(mail);
}

/** Searchable characters of a mail's text. */
const searchedCharacters = 20_000;

/**
 * Extracts the fields that the list shows and the search uses. Of a large mail, the contents of its files are
 * not read. Never rejects.
 * @returns the fields of the headers, and the first 20 000 characters of the text, or of the HTML without
 *   tags
 */
export async function summarise(source: Buffer): Promise<{ summary: MailSummary; bodyText: string }> {
  const { from, to, cc, subject, attachments, text, html } = await readMail(withoutFiles(source));
  const words = text ?? html?.slice(0, 10 * searchedCharacters).replace(/<[^<>]*>/g, ' ') ?? '';
  const summary = {
    from: storable(from),
    to: to.map(storable),
    cc: cc.map(storable),
    subject: storable(subject),
    attachments,
  };
  return { summary, bodyText: storable(words.slice(0, searchedCharacters)) };
}

/** PostgreSQL rejects U+0000, which an encoded word may contain, and lone surrogates. */
const storable = (text: string): string => text.toWellFormed().replaceAll('\0', ' ');

/**
 * Removes the full base64 lines of a large mail, which are nearly all of its bytes. Parsing 24 MB would block
 * the event loop for half a second.
 */
function withoutFiles(source: Buffer): Buffer {
  if (source.byteLength < 256 * 1024) return source;
  const kept: Buffer[] = [];
  let keptTo = 0;
  for (let at = 0; at < source.byteLength; ) {
    if (isBase64Line(source, at)) {
      if (keptTo < at) kept.push(source.subarray(keptTo, at));
      at += 78;
      keptTo = at;
    } else {
      at = source.indexOf(0x0a, at) + 1 || source.byteLength;
    }
  }
  return Buffer.concat([...kept, source.subarray(keptTo)]);
}

const base64Octets = new Set(Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'));
const isBase64 = Uint8Array.from({ length: 256 }, (_, octet) => (base64Octets.has(octet) ? 1 : 0));

/** Whether 76 octets of base64 and a CR LF begin here. */
function isBase64Line(source: Buffer, at: number): boolean {
  if (source[at + 76] !== 0x0d || source[at + 77] !== 0x0a) return false;
  for (let octet = at; octet < at + 76; octet += 1) if (isBase64[source[octet]!] === 0) return false;
  return true;
}

function contentOf(mail: Email): MailContent {
  const files = mail.attachments.map((attachment, index) => fileOf(attachment, index));
  return {
    from: mail.from === undefined ? '' : shown(mail.from).join(', '),
    to: (mail.to ?? []).flatMap(shown),
    cc: (mail.cc ?? []).flatMap(shown),
    subject: mail.subject ?? '',
    attachments: files.filter((file) => !file.inline).length,
    messageId: mail.messageId ?? '',
    html: mail.html,
    text: mail.text,
    headers: mail.headers.map(({ originalKey, value }) => ({ name: originalKey, value })),
    files,
  };
}

function unreadable(source: Buffer): MailContent {
  const nothing = { from: '', to: [], cc: [], messageId: '', html: undefined, headers: [], files: [] };
  return { ...nothing, subject: '(not a readable mail)', text: source.toString('latin1'), attachments: 0 };
}

function shown({ name, address, group }: Address): string[] {
  if (group !== undefined) return group.flatMap(shown);
  return [name === '' ? address : `${name} <${address}>`];
}

/**
 * Separates a person's name from the address behind it: `Jane Doe <jane@example.org>`. The name is empty for
 * an address alone.
 */
export function namedAddress(person: string): { readonly name: string; readonly address: string } {
  const at = person.endsWith('>') ? person.lastIndexOf('<') : -1;
  return at < 0
    ? { name: '', address: person }
    : { name: person.slice(0, at).trim(), address: person.slice(at + 1, -1) };
}

function fileOf(
  { filename, mimeType, content, contentId, related, disposition }: Attachment,
  index: number,
): MailFile {
  return {
    fileName: filename || `part-${index + 1}`,
    contentType: mimeType,
    content: typeof content === 'string' ? Buffer.from(content) : Buffer.from(content as ArrayBuffer),
    contentId: contentId?.replace(/^<|>$/g, ''),
    inline: related === true && disposition !== 'attachment',
  };
}
