import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface PageAsset {
  readonly type: string;
  readonly body: Buffer;
  /** Contains a hash of the content, so that it can be cached for ever. */
  readonly href: string;
}

/** Colours, type and the bar at the top. */
export const themeFile = new URL('theme.css', import.meta.url);

/** @param files one after another they are the asset */
export function readAsset(path: string, type: string, ...files: readonly URL[]): PageAsset {
  const body = Buffer.concat(files.map((file) => readFileSync(file)));
  const version = createHash('sha256').update(body).digest('base64url').slice(0, 12);
  return { type, body, href: `${path}?v=${version}` };
}
