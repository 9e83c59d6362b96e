/*
 * Prints what a first visit of each page transfers and how long it takes until the page can be used. Then
 * looks through every page that the product serves, in light and dark, wide and narrow, with axe-core, and
 * prints what it finds. A serious or critical violation fails, and so does a page that is too heavy.
 *
 *   npm run test:axe [-- --only inbox]
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildExplorer } from '../../src/dev/explorer/build.ts';
import { launchBrowser } from '../support/browser.ts';
import { weigh, weighedPages } from './page-weight.ts';
import { views } from './views.ts';

/** What is used of axe-core's result. Its package is installed only for this command. */
interface AxeResults {
  readonly passes: readonly unknown[];
  readonly violations: readonly {
    readonly id: string;
    readonly impact?: string | null;
    readonly help: string;
    readonly nodes: readonly {
      readonly target: readonly unknown[];
      readonly html: string;
      readonly failureSummary?: string;
    }[];
  }[];
}

const source = await readFile(new URL('node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');
const tell = (line: string) => process.stdout.write(`${line}\n`);
const failing = ['serious', 'critical'];
const { values } = parseArgs({ options: { only: { type: 'string', default: '' } } });
let failed = 0;

/** @returns how many rules were tried */
async function judge(page: Page, name: string): Promise<number> {
  // Transitions change colours while they run.
  await page.addStyleTag({ content: '*, *::before, *::after { transition: none !important; }' });
  await page.evaluate(source);
  const { violations, passes } = await page.evaluate<AxeResults>(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })",
  );
  for (const { id, impact, help, nodes } of violations) {
    if (failing.includes(impact ?? '')) failed += 1;
    tell(`  ${impact} ${id}: ${help} (${name}, ${nodes.length}×)`);
    for (const { html, failureSummary } of nodes.slice(0, 3))
      tell(`      ${html.slice(0, 160)}\n        ${failureSummary?.split('\n').slice(1).join(' ').trim()}`);
  }
  return passes.length;
}

async function weighPages(browser: Browser, url: string): Promise<void> {
  tell('page        bytes  requests  ready after');
  for (const page of weighedPages) {
    const { bytes, requests, readyMs } = await weigh(browser, url, page);
    const seconds = `${(readyMs / 1000).toFixed(2)} s`;
    tell(`${page.path.padEnd(9)} ${String(bytes).padStart(7)}  ${String(requests).padStart(8)}  ${seconds}`);
    if (bytes <= page.mostBytes) continue;
    failed += 1;
    tell(`  too heavy: at most ${page.mostBytes} bytes`);
  }
}

async function main(directory: string): Promise<void> {
  await buildExplorer();
  await using app = await createApp(
    readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent', SMTP_URL: 'inbox:' }),
  );
  const browser = await launchBrowser();
  try {
    await weighPages(browser, app.url!);
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [1280, 390])
        for (const view of views.filter(({ name }) => name.includes(values.only))) {
          const context = await browser.newContext({
            ...{ colorScheme, viewport: { width, height: 900 }, bypassCSP: true },
            httpCredentials: { username: 'operator', password: 'operator' },
          });
          const page = await context.newPage();
          const name = `${view.name}, ${colorScheme}, ${width}`;
          await view.open(page, app.url!);
          tell(`${name}: ${await judge(page, name)} rules passed`);
          await context.close();
        }
  } finally {
    await browser.close();
  }
}

const directory = await mkdtemp(join(tmpdir(), 'ticketwire-axe-'));
try {
  await main(directory);
} finally {
  await rm(directory, { recursive: true, force: true });
}
tell(failed === 0 ? 'no serious violation' : `${failed} serious violations`);
process.exit(failed === 0 ? 0 : 1);
