import { fileTypeFromBuffer } from 'file-type';
import { LRUCache } from 'lru-cache';
import type { BlobStore } from './blob-store.ts';

/**
 * Types that a browser shows as an image without running code. SVG is excluded, because it can contain
 * scripts.
 */
const pictures = new Set([
  ...['image/png', 'image/apng', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp'],
]);
/** Bytes that are enough to recognise a type. */
const sniffedBytes = 4100;
/** Cached types: a page shows the same images repeatedly, and their bytes never change. */
const remembered = 10_000;

/**
 * Creates a function that finds a blob's image type by its first 4100 bytes. The types are PNG, APNG, JPEG,
 * GIF, WebP, AVIF and BMP, which a browser shows without running code. Up to 10,000 results are cached.
 * @returns takes the blob's key and its size in bytes, and resolves to the type (`image/png`), or to
 *   undefined for other files, SVG and empty ones among them. A signal ends the reading. It rejects as
 *   `BlobStore.open` and its stream do
 */
export function createImageSniffer(blobs: Pick<BlobStore, 'open'>) {
  const known = new LRUCache<string, string>({ max: remembered });

  return async (key: string, byteSize: number, signal?: AbortSignal): Promise<string | undefined> => {
    const before = known.get(key);
    if (before !== undefined) return before || undefined;
    if (byteSize === 0) return undefined;
    const chunks: Buffer[] = [];
    const end = Math.min(byteSize, sniffedBytes) - 1;
    const stream = await blobs.open(key, { start: 0, end }, signal);
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    const type = await fileTypeFromBuffer(Buffer.concat(chunks)).catch(() => undefined);
    const picture = type !== undefined && pictures.has(type.mime) ? type.mime : '';
    known.set(key, picture);
    return picture || undefined;
  };
}

/** Finds the image type of a blob by its key and its size in bytes; see `createImageSniffer`. */
export type ImageSniffer = ReturnType<typeof createImageSniffer>;
