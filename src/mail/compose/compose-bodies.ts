import { lineEnds } from '../../content/line-ends.ts';
import { plainTextToHtml } from '../../content/plain-text-to-html.ts';
import { readStoredBody } from '../../content/read-message-body.ts';
import { escapeHtml } from '../../platform/escape-html.ts';
import type { MessageFormat } from '../../platform/vocabulary.ts';
import { type NamedFile, pictureFinder } from './find-pictures.ts';
import { type FindPicture, type InlinePart, InlinePictures, pictureReferences } from './inline-pictures.ts';
import type { AttachmentPart, MailParts, QuotedMessage } from './mail-parts.ts';

/** Most octets of pictures in quotations. Further pictures are replaced by their `alt`. */
const maxQuotedPictureOctets = 2 * 1024 * 1024;

/** What the recipient reads, once as text and once as HTML, and the files with it. */
export interface Bodies {
  /** Lines end in LF. */
  readonly text: string;
  readonly html: string;
  /** The pictures that the HTML shows by `cid:`, those of quotations included. */
  readonly inline: readonly InlinePart[];
  /** The message's files that the HTML does not show. */
  readonly attached: readonly AttachmentPart[];
}

type BodyParts = Pick<MailParts, 'body' | 'format' | 'signature' | 'quoted' | 'omitted' | 'attachments'>;

/**
 * Makes a mail's bodies: the message, the signature, the quotations, and a line with the number of omitted
 * messages, as text and as a complete, sanitized HTML document. The author's own remote pictures stay. Those
 * of quoted messages are left out, because they would track the reader, and so are pictures of quotations
 * beyond 2 MiB.
 * @param seed makes the Content-IDs of the pictures unique to this mail
 */
export async function mailBodies(parts: BodyParts, seed: string): Promise<Bodies> {
  const { body, format, signature, quoted, omitted, attachments } = parts;
  const pictures = new InlinePictures(seed);
  const own = await reading(body, format, 'SHOWN');
  const ownHtml = format === 'TEXT' ? own.html : pictures.placeOwn(own.html, pictureFinder(attachments));
  const quotations = await quotationsOf(quoted, pictures);
  const more = omitted === 0 ? [] : [`(${omitted} older ${omitted === 1 ? 'message' : 'messages'} left out)`];
  const sign = signature === '' ? [] : [withLineFeeds(signature)];
  const html = [
    ownHtml,
    ...sign.map((text) => `<div dir="auto">-- <br>\n${plainTextToHtml(text)}</div>`),
    ...quotations.map((one) => `<div>${escapeHtml(one.from)}</div>\n<blockquote>${one.html}</blockquote>`),
    ...more.map((text) => `<div>${text}</div>`),
  ].join('\n<br>\n');
  return {
    text: [
      own.text,
      ...sign.map((text) => `-- \n${text}`),
      ...quotations.map((one) => `${one.from}\n${one.text.replace(/^/gm, '> ')}`),
      ...more,
    ].join('\n\n'),
    html: `<!DOCTYPE html>\n<html><head><meta charset="utf-8"></head><body>\n${html}\n</body></html>`,
    inline: pictures.parts,
    attached: attachments.filter((part) => !pictures.shows(part)),
  };
}

interface Quotation {
  /** The line above the quoted text, which names its author and time. */
  readonly from: string;
  readonly text: string;
  readonly html: string;
}

async function quotationsOf(
  quoted: readonly QuotedMessage[],
  pictures: InlinePictures,
): Promise<Quotation[]> {
  const quotations: Quotation[] = [];
  const brought = new Map<string, number>();
  for (const message of quoted) {
    const { text, html } = await reading(message.body, message.format, 'OMITTED');
    const find = withinBound(pictureFinder(message.files), brought);
    quotations.push({ from: attribution(message), text, html: pictures.placeQuoted(html, find) });
  }
  return quotations;
}

/** Finds pictures as long as their total size is within the limit. */
function withinBound(find: FindPicture, brought: Map<string, number>): FindPicture {
  return (reference) => {
    const part = find(reference);
    if (part === undefined) return undefined;
    const digest = Buffer.from(part.sha256).toString('hex');
    const octets = brought.values().reduce((sum, one) => sum + one, 0);
    if (!brought.has(digest) && octets + part.byteSize > maxQuotedPictureOctets) return undefined;
    brought.set(digest, part.byteSize);
    return part;
  };
}

/**
 * The files of a message that its own HTML shows by `cid:`. Only images are found.
 * @param html the message's body as it is stored
 * @param files all files of the message, in their order
 */
export async function shownFiles<T extends NamedFile>(
  html: string,
  files: readonly T[],
): Promise<ReadonlySet<T>> {
  const find = pictureFinder(files);
  const shown = pictureReferences((await readStoredBody(html, 'HTML')).html).map(find);
  return new Set(shown.filter((file) => file !== undefined));
}

/**
 * A body as text and as sanitized HTML. The author's own remote pictures stay. Those of quoted messages are
 * removed, because they would track the reader.
 */
async function reading(
  body: string,
  format: MessageFormat,
  remotePictures: 'SHOWN' | 'OMITTED',
): Promise<{ text: string; html: string }> {
  const { text, html } = await readStoredBody(body, format, { remotePictures });
  // Plain text is in a block with its own direction already.
  return { text: withLineFeeds(text), html: format === 'TEXT' ? html : `<div>${html}</div>` };
}

/**
 * Converts every line end to LF. A mail client may break a line at any of them, so the next line needs its
 * `> ` in a quotation.
 */
const withLineFeeds = (text: string): string => text.replace(lineEnds, '\n');

const attribution = ({ author, at }: QuotedMessage): string =>
  [
    `On ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC,`,
    `${withLineFeeds(author).replaceAll('\n', ' ')} wrote:`,
  ].join(' ');
