import { exactName, fileNameKey } from './file-name.ts';

/** A file as the author of a message can name it. */
export interface NamedFile {
  /** As it is kept: cleaned, see `fileNameKey`. */
  readonly fileName: string;
  readonly contentType: string;
  readonly contentId?: string | null | undefined;
}

/** By the ends of their names: some clients send each file as plain bytes. */
const imageTypes: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  bmp: 'image/bmp',
  svg: 'image/svg+xml',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  heic: 'image/heic',
};

/** The type of a file that can stand in a text; undefined for what is no image. */
export function imageTypeOf({ contentType, fileName }: NamedFile): string | undefined {
  if (/^image\//i.test(contentType)) return contentType;
  if (!/^application\/octet-stream\b/i.test(contentType)) return undefined;
  const end = /\.([a-z0-9]{3,4})$/i.exec(fileName)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(imageTypes, end) ? imageTypes[end] : undefined;
}

/**
 * Finds the pictures that a message's HTML shows by `cid:…`, among the message's own files: by a `contentId`
 * that was given with the file, else by the file's name as it was sent, percent-encoded or not. Files that
 * are no images are never found.
 *
 * Of several files with one name, the first `cid:` of that name shows the first of them, the second the
 * second, and so on; further ones show the last. A file with a `contentId` of its own counts among them only
 * if there is no other.
 * @returns to be asked once for each `cid:`, in their order, with what stands after the colon
 */
export function pictureFinder<T extends NamedFile>(
  files: readonly T[],
): (reference: string) => T | undefined {
  const images = files.filter((file) => imageTypeOf(file) !== undefined);
  const ways = [exactName, fileNameKey, (name: string) => fileNameKey(name).toLowerCase()].map((key) => ({
    key,
    byKey: Map.groupBy(images, ({ fileName }) => key(fileName)),
  }));
  const byId = (same: (a: string, b: string) => boolean, spellings: readonly string[]) =>
    images.find(({ contentId }) => contentId != null && spellings.some((one) => same(one, contentId)));
  const asked = new Map<T, number>();

  function named(spellings: readonly string[]): readonly T[] {
    for (const { key, byKey } of ways)
      for (const spelling of spellings) {
        const found = byKey.get(key(spelling)) ?? [];
        const free = found.filter(({ contentId }) => contentId == null);
        if (found.length > 0) return free.length > 0 ? free : found;
      }
    return [];
  }

  return (reference) => {
    const spellings = spellingsOf(reference.trim());
    const byOwnId = byId((a, b) => a === b, spellings);
    if (byOwnId !== undefined) return byOwnId;
    // Outlook writes `image001.png@01DABCDE.12345678` for its image001.png.
    const whole = named(spellings);
    const found = whole.length > 0 ? whole : named(spellings.map(beforeAt));
    const [first] = found;
    if (first === undefined) return byId((a, b) => a.toLowerCase() === b.toLowerCase(), spellings);
    const n = asked.get(first) ?? 0;
    asked.set(first, n + 1);
    return found[n] ?? found.at(-1);
  };
}

const beforeAt = (reference: string): string => reference.replace(/@[^@]*$/, '');

/** As it is written, and as it reads when its percent-encoding is UTF-8, and when it is Latin-1. */
function spellingsOf(reference: string): string[] {
  if (!reference.includes('%')) return [reference];
  const decoded = (encoding: BufferEncoding) =>
    reference.replace(/(?:%[0-9a-f]{2})+/gi, (octets) =>
      Buffer.from(octets.replaceAll('%', ''), 'hex').toString(encoding),
    );
  return [...new Set([reference, decoded('utf8'), decoded('latin1')])];
}
