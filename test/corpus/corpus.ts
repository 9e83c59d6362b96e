import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { UnreadableBody } from '../../src/content/dom/tree.ts';
import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { openBrowser } from './browser.ts';
import { publishedMessages } from './messages.ts';

/*
 * Reads published letters as messages and compares the text with what Chromium shows: `npm run test:corpus`.
 * --list prints every word that differs.
 */

const { values } = parseArgs({ options: { list: { type: 'boolean', default: false } } });
const print = (line: string) => process.stdout.write(`${line}\n`);

/** What a reader without scripts sees. A picture that is a link reads as its `alt`. */
async function shownBy(page: Page, html: string): Promise<string> {
  await page.setContent(html, { waitUntil: 'domcontentloaded', timeout: 20_000 });
  return page.evaluate(() => {
    // The content of form fields is visible but not text of the page, and a mail shows no list of choices.
    for (const field of document.querySelectorAll('select')) field.remove();
    for (const field of document.querySelectorAll('textarea')) field.replaceWith(field.value);
    for (const field of document.querySelectorAll('input'))
      if (!/^(?:hidden|password|image|checkbox|radio)$/.test(field.type))
        field.replaceWith(field.getAttribute('value') ?? '');
    for (const picture of document.querySelectorAll('a[href] img[alt]'))
      if (picture.closest('a')!.innerText.trim() === '')
        picture.replaceWith((picture as HTMLImageElement).alt);
    return document.body?.innerText ?? '';
  });
}

/** Words, without the URLs after links and the marks for superscripts. */
const wordsOf = (text: string): string[] =>
  text
    .replace(/<[^<>\s][^<>]*>/g, '')
    .replace(/[\^_]|\p{Cf}|\u034f/gu, '')
    .toLowerCase()
    .match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];

function without(words: readonly string[], others: readonly string[]): string[] {
  const left = Map.groupBy(others, (word) => word);
  return words.filter((word) => left.get(word)?.pop() === undefined);
}

const isMarker = (word: string): boolean => /^(?:\d{1,3}|[ivxlcdm]{1,6}|[a-z])$/.test(word);

interface Tally {
  messages: number;
  equal: number;
}
const bySource = new Map<string, Tally>();
const total = { messages: 0, nothing: 0, equal: 0, hidden: 0, differ: 0, refused: 0, empty: 0, asked: 0 };
const failures: string[] = [];
const seen = new Set<string>();

await using browser = await openBrowser();
const written = await browser.open({ scripts: false });
const shown = await browser.open({ scripts: true });
for await (const { source, path, html } of publishedMessages()) {
  if (seen.has(html)) continue;
  seen.add(html);
  const expected = wordsOf(await shownBy(written.page, html));
  const name = path.split('/corpus/')[1]!;
  if (expected.length === 0) {
    total.nothing += 1;
    continue;
  }
  total.messages += 1;
  const tally = bySource.get(source) ?? { messages: 0, equal: 0 };
  bySource.set(source, tally);
  tally.messages += 1;
  try {
    const read = cleanHtml(html, 'HELD');
    shown.requests.length = 0;
    await shown.page.setContent(read.html, { waitUntil: 'load' });
    total.asked += shown.requests.filter((url) => !url.startsWith('cid:')).length;
    const found = wordsOf(read.text);
    if (read.blank || found.length === 0) {
      total.empty += 1;
      failures.push(`${name}: empty, where Chromium shows ${expected.slice(0, 10).join(' ')}`);
      continue;
    }
    const missing = without(expected, found);
    const more = without(found, expected).filter((word) => !isMarker(word));
    if (missing.length + more.length === 0) {
      total.equal += 1;
      tally.equal += 1;
      continue;
    }
    const hidden = missing.length > 0 && read.changes.some(({ code }) => code === 'HIDDEN_TEXT');
    if (hidden && more.length === 0) total.hidden += 1;
    else total.differ += 1;
    const codes = read.changes.map(({ code }) => code).join(' ');
    const some = values.list ? Number.POSITIVE_INFINITY : 8;
    print(
      `  ${name} (${codes}): -${missing.length} [${missing.slice(0, some).join(' ')}] +${more.length} ` +
        `[${more.slice(0, some).join(' ')}]`,
    );
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error;
    total.refused += 1;
    failures.push(`${name}: refused, ${error.message}`);
  }
}
for (const [source, { messages, equal }] of bySource)
  print(`${source.padEnd(32)}${String(messages).padStart(5)} messages${String(equal).padStart(5)} equal`);
print(
  `${total.messages} messages with words (${total.nothing} without): ${total.equal} word for word as ` +
    'Chromium shows them, ' +
    `${total.hidden} less hidden text alone, ${total.differ} otherwise (above); ${total.refused} ` +
    `refused, ${total.empty} empty; ` +
    `${total.asked} requests, ${shown.ran.length} ran`,
);
for (const failure of failures) print(failure);
if (failures.length > 0 || total.asked > 0 || shown.ran.length > 0) process.exitCode = 1;
