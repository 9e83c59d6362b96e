import { LinkifyIt } from 'linkify-it';
import { escapeHtml } from '../platform/escape-html.ts';
import { inPieces } from './dom/large-strings.ts';
import { lineEnds } from './line-ends.ts';

/** Finds web and e-mail addresses only: `//x.org` and `www.x.org` are ambiguous. */
const finder = new LinkifyIt().add('ftp:', null).add('//', null);

/** Longest address that becomes a link, and longest word that is searched for e-mail addresses. */
const maxAddress = 2000;
const maxWord = 4096;

interface FoundAddress {
  readonly begin: number;
  readonly end: number;
  readonly url: string;
}

const cjk = `[${['Han', 'Hiragana', 'Katakana', 'Hangul'].map((name) => `\\p{Script=${name}}`).join('')}]`;
const afterHost = new RegExp(String.raw`^https?://[a-z0-9.-]+\.[a-z]{2,24}(?::\d{1,5})?(?=${cjk})`, 'iu');
const afterWord = new RegExp(`^.*?[a-z0-9](?=${cjk})`, 'iu');
const endsInCjk = new RegExp(`${cjk}$`, 'u');

/**
 * Chinese, Japanese and Korean are written without spaces, so an address ends where their letters begin,
 * unless the letters belong to its path.
 */
function withoutSentence(address: string, before: string): string {
  const host = afterHost.exec(address);
  if (host !== null) return host[0];
  return (endsInCjk.test(before) ? afterWord.exec(address)?.[0] : undefined) ?? address;
}

/** The addresses in a word without spaces, in order. */
function* addressesIn(word: string): Iterable<FoundAddress> {
  let at = 0;
  for (const { index } of word.matchAll(/(?<![a-z0-9])(?:https?:\/\/|mailto:)/gi)) {
    if (index < at) continue;
    const match = finder.matchAtStart(word.slice(index, index + maxAddress));
    if (match === null) continue;
    const address = withoutSentence(match.raw, word.slice(Math.max(0, index - 2), index));
    if (!URL.canParse(address)) continue;
    yield* mailboxesIn(word, at, index);
    yield { begin: index, end: index + address.length, url: address };
    at = index + address.length;
  }
  yield* mailboxesIn(word, at, word.length);
}

function* mailboxesIn(word: string, begin: number, end: number): Iterable<FoundAddress> {
  const part = word.slice(begin, end);
  if (part.length > maxWord || !part.includes('@')) return;
  for (const { schema, index, lastIndex, url } of finder.match(part) ?? [])
    if (schema === 'mailto:') yield { begin: begin + index, end: begin + lastIndex, url };
}

/**
 * Yields the web and e-mail addresses in a plain text, in order: those with `http://`, `https://` or
 * `mailto:`, and bare e-mail addresses. `www.x.org` alone is none. `begin` and `end` are offsets in
 * UTF-16 units, `end` exclusive; `url` is the target of a link to the address.
 */
export function* addressesOf(text: string): Iterable<FoundAddress> {
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    if (!/[:@]/.test(word)) continue;
    for (const { begin, end, url } of addressesIn(word))
      yield { begin: index + begin, end: index + end, url };
  }
}

/**
 * Converts plain text to HTML. It escapes the text, preserves white space (a line end becomes `<br>`) and
 * makes addresses links that open in a new tab. There is no element around it; an empty text stays empty.
 */
export function plainTextToHtml(text: string): string {
  const parts: string[] = [];
  let at = 0;
  for (const { begin, end, url } of addressesOf(text)) {
    parts.push(
      asWritten(text.slice(at, begin)),
      `<a href="${escapeHtml(url)}" target="_blank" rel="noopener noreferrer nofollow">`,
      `${escapeHtml(text.slice(begin, end))}</a>`,
    );
    at = end;
  }
  parts.push(asWritten(text.slice(at)));
  return parts.join('');
}

const asWritten = (text: string): string =>
  inPieces(text, (piece) => escapeHtml(piece).replace(lineEnds, () => '<br>\n'))
    .replace(/(^|\n| ) /g, '$1&nbsp;')
    .replace(/\t/g, '&nbsp;&nbsp;&nbsp; ');
