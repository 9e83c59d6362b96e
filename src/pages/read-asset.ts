import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A script or style of a page. */
export interface PageAsset {
  /** Content-Type. */
  readonly type: string;
  readonly body: Buffer;
  /** The asset's path with `?v=` and a hash of its content, so that no browser shows an old one. */
  readonly href: string;
}

/** File URL of the style sheet that the pages share: colours, fonts and the bar at the top. */
export const themeFile = new URL('theme.css', import.meta.url);

/**
 * Reads an asset, synchronously.
 * @param path URL path under which it is served
 * @param type its Content-Type
 * @param files are concatenated
 * @throws Error when a file is missing
 */
export function readAsset(path: string, type: string, ...files: readonly URL[]): PageAsset {
  const body = Buffer.concat(files.map((file) => readFileSync(file)));
  const version = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  return { type, body, href: `${path}?v=${version}` };
}
