import { fileNameKey, normalizedName } from './normalize-file-name.ts';

/** A file that the HTML of its message can refer to. */
export interface NamedFile {
  /** As stored: cleaned, see `fileNameKey`. */
  readonly fileName: string;
  readonly contentType: string;
  /** The Content-ID that was given with the file, without angle brackets. */
  readonly contentId?: string | null | undefined;
}

/** Types by file extension, for clients that send every file as octet-stream. */
const imageTypes: ReadonlyMap<string, string> = new Map(
  Object.entries({
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
  }),
);

/**
 * The image type of a file: its declared type if that is one, or, for an octet-stream, the type that its
 * extension stands for. Undefined when it is not an image.
 */
export function imageTypeOf({ contentType, fileName }: NamedFile): string | undefined {
  if (/^image\//i.test(contentType)) return contentType;
  if (!/^application\/octet-stream\b/i.test(contentType)) return undefined;
  const end = /\.([a-z0-9]{3,4})$/i.exec(fileName)?.[1]?.toLowerCase() ?? '';
  return imageTypes.get(end);
}

/**
 * Creates a function that finds the pictures which a message's HTML shows by `cid:…`, among the message's own
 * files: by a `contentId` that was given with the file, else by the file's name as it was sent,
 * percent-encoded or not, also with an `@…` after it as Outlook writes it. An exact match takes precedence
 * over one in another case. Files that are not images are never found.
 *
 * Of several files with one name, the first `cid:` of that name shows the first file, the second shows the
 * second, and so on; further `cid:`s show the last file. A file with a `contentId` is found by its name only
 * if all files of that name have one.
 * @returns a function to call once for each `cid:`, in order, with the part after the colon; undefined if no
 *   file matches
 */
export function pictureFinder<T extends NamedFile>(
  files: readonly T[],
): (reference: string) => T | undefined {
  const images = files.filter((file) => imageTypeOf(file) !== undefined);
  const ways = [normalizedName, fileNameKey, (name: string) => fileNameKey(name).toLowerCase()].map(
    (key) => ({
      key,
      byKey: Map.groupBy(images, ({ fileName }) => key(fileName)),
    }),
  );
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

/** The reference as written, and with its percent-encoding decoded as UTF-8 and as Latin-1. */
function spellingsOf(reference: string): string[] {
  if (!reference.includes('%')) return [reference];
  const decoded = (encoding: BufferEncoding) =>
    reference.replace(/(?:%[0-9a-f]{2})+/gi, (octets) =>
      Buffer.from(octets.replaceAll('%', ''), 'hex').toString(encoding),
    );
  return [...new Set([reference, decoded('utf8'), decoded('latin1')])];
}
