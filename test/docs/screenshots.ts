import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildExplorer } from '../../src/dev/explorer/build.ts';
import { launchBrowser } from '../support/browser.ts';

/* `npm run shots:docs` writes the pictures of docs/images from a new demo desk, at two widths. */

const images = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const screens = { '': { width: 1280, height: 720 }, '-phone': { width: 390, height: 844 } } as const;
type Screen = keyof typeof screens;

async function graphiql(page: Page, { url }: App): Promise<void> {
  await page.goto(`${url}/graphql`);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  const panel = page.getByRole('button', { name: 'Show Examples' });
  if (await panel.isVisible()) await panel.click();
  await page.getByRole('button', { name: /^Reply by e-mail/ }).click();
  await page.getByRole('button', { name: /execute query/i }).click();
  await page.locator('.result-window .view-line', { hasText: 'ticketMessage' }).first().waitFor();
}

/** Mails of every kind, so that there is something to see. */
async function mailSome({ url }: App): Promise<void> {
  const query =
    'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
  const mails = [
    { ticketId: 12, body: 'The licence was renewed.', email: { cc: ['drop-after-data@sandbox.test'] } },
    { ticketId: 31, body: 'Your badge is ready.', email: { cc: ['bounce@sandbox.test'] } },
    { ticketId: 42, body: 'The report is attached.', email: {} },
  ];
  for (const { ticketId, body, email } of mails) {
    const input = { ticket: { ticketId }, body, email: { from: 'company@domain.com', ...email } };
    await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Basic ${btoa('operator:operator')}` },
      body: JSON.stringify({ query, variables: { input } }),
    });
  }
}

async function ledger(page: Page, app: App): Promise<void> {
  await mailSome(app);
  await page.goto(`${app.url}/ledger`);
  await page.getByRole('heading', { name: 'Outcome unknown' }).waitFor();
  await page.getByRole('heading', { name: 'Failed' }).waitFor();
}

async function inbox(page: Page, { url }: App): Promise<void> {
  await page.goto(`${url}/inbox/`);
  // Each screen's ledger has mailed one; the newest is first.
  await page
    .getByRole('link', { name: /INC-000031/ })
    .first()
    .click();
  await page.getByRole('heading', { name: /INC-000031/ }).waitFor();
}

/** In this order: the inbox shows what the others have mailed. */
const shots: Readonly<Record<string, (page: Page, app: App) => Promise<void>>> = { graphiql, ledger, inbox };

async function shoot(browser: Browser, app: App, name: string, screen: Screen): Promise<void> {
  const httpCredentials = { username: 'operator', password: 'operator' };
  const viewport = screens[screen];
  const context = await browser.newContext({ viewport, httpCredentials, colorScheme: 'light' });
  const page = await context.newPage();
  await shots[name]!(page, app);
  await page.screenshot({ path: join(images, `${name}${screen}.png`) });
  await context.close();
}

await buildExplorer();
await mkdir(images, { recursive: true });
const directory = await mkdtemp(join(tmpdir(), 'ticketwire-shots-'));
try {
  await using app = await createApp(readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' }));
  const browser = await launchBrowser();
  for (const name of Object.keys(shots)) await shoot(browser, app, name, '');
  for (const name of Object.keys(shots)) await shoot(browser, app, name, '-phone');
  await browser.close();
} finally {
  await rm(directory, { recursive: true, force: true });
}
