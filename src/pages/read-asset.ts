import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** A script or style of a page. */
export interface PageAsset {
  /** Content-Type. */
  readonly type: string;
  readonly body: Buffer;
  /** URL path with a hash of the content, so that the asset can be cached for ever. */
  readonly href: string;
}

/** Style sheet that the pages share: colours, fonts and the bar at the top. */
export const themeFile = new URL('theme.css', import.meta.url);

/** Reads an asset. @param files are concatenated */
export function readAsset(path: string, type: string, ...files: readonly URL[]): PageAsset {
  const body = Buffer.concat(files.map((file) => readFileSync(file)));
  const version = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  return { type, body, href: `${path}?v=${version}` };
}
