import { readFile } from 'node:fs/promises';
import PostalMime from 'postal-mime';
import { filesOf, unpackAll } from './packages.ts';

export interface PublishedMessage {
  /** Package and version. */
  readonly source: string;
  readonly path: string;
  readonly html: string;
}

/** Messages, templates and editors' pages in HTML, as others published them. */
export async function* publishedMessages(): AsyncGenerator<PublishedMessage> {
  await unpackAll();
  for await (const { source, path } of filesOf('*.{html,htm}')) {
    const html = await readFile(path, 'utf8');
    if (!html.includes('\0')) yield { source, path, html: html.toWellFormed() };
  }
  for await (const { source, path } of filesOf('*.eml')) {
    const { html } = await PostalMime.parse(await readFile(path));
    if (html !== undefined) yield { source, path, html: html.toWellFormed() };
  }
}
