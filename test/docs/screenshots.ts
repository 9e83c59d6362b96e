import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildExplorer } from '../../src/dev/explorer/build.ts';
import { launchBrowser } from '../support/browser.ts';

/* `npm run shots:docs` writes the pictures of docs/images from a new demo desk. */

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const wide = { width: 1280, height: 720 };

async function graphiql(page: Page, { url }: App): Promise<void> {
  await page.goto(`${url}/graphql`);
  await page.getByRole('button', { name: /^Reply by e-mail/ }).click();
  await page.getByRole('button', { name: /execute query/i }).click();
  await page.locator('.result-window .view-line', { hasText: 'rfcMessageId' }).waitFor();
}

const shots: Readonly<Record<string, (page: Page, app: App) => Promise<void>>> = { graphiql };

async function shoot(browser: Browser, app: App, name: string): Promise<void> {
  const httpCredentials = { username: 'operator', password: 'operator' };
  const context = await browser.newContext({ viewport: wide, httpCredentials, colorScheme: 'light' });
  const page = await context.newPage();
  await shots[name]!(page, app);
  await page.screenshot({ path: join(images, `${name}.png`) });
  await context.close();
}

await buildExplorer();
await mkdir(images, { recursive: true });
const directory = await mkdtemp(join(tmpdir(), 'ticketwire-shots-'));
try {
  await using app = await createApp(readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' }));
  const browser = await launchBrowser();
  for (const name of Object.keys(shots)) await shoot(browser, app, name);
  await browser.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
