import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, createApp } from '../../../src/app.ts';
import { readConfig } from '../../../src/config.ts';
import { buildExplorer } from '../../../src/dev/explorer/build.ts';
import { launchBrowser } from '../../support/browser.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { soaking } from '../../support/soak.ts';

/*
 * The whole product as a developer meets it: the embedded mode with its demo desk, in a real browser. The
 * server of all tests is in the place of its own, whose start `npm-start.test.ts` looks at.
 */

let database: TestDatabase;
let app: App;
let browser: Browser;
let directory: string;

beforeAll(async () => {
  await buildExplorer();
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-explorer-'));
  database = await createTestDatabase();
  const server = { connection: database.ownerConnection, pid: process.pid };
  const embedded = Promise.resolve({ ...server, async [Symbol.asyncDispose]() {} });
  app = await createApp(readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' }), { embedded });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await app?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** A page of its own, and whatever goes wrong in it. */
async function openExplorer(width = 1280): Promise<{ page: Page; problems: string[] } & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width, height: 844 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('requestfailed', (request) => problems.push(`failed: ${request.url()}`));
  page.on('request', (request) => {
    if (!request.url().startsWith(app.url!) && !request.url().startsWith('data:'))
      problems.push(`foreign: ${request.url()}`);
  });
  await page.goto(`${app.url}/graphql`);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

type Use = (opened: { page: Page; problems: string[] }) => Promise<void>;

const tabsOf = (page: Page) => page.locator('.tw-tab').count();

async function showExamples(page: Page): Promise<void> {
  const button = page.getByRole('button', { name: 'Show Examples' });
  if (await button.isVisible()) await button.click();
}

async function run<D>(page: Page): Promise<D> {
  const answer = page.waitForResponse(
    (response) =>
      response.request().method() === 'POST' &&
      !response.request().postData()?.includes('IntrospectionQuery'),
  );
  await page.getByRole('button', { name: /execute query/i }).click();
  return (await (await answer).json()) as D;
}

const loads: Use = async ({ page, problems }) => {
  const answer = await run<{ data: { viewer: { login: string } } }>(page);
  expect(answer.data.viewer.login).toBe('operator');
  await expect.poll(() => page.locator('.result-window').innerText()).toContain('"operator"');

  // The schema has been read and the editors' workers run: completion knows a field of ours.
  await page.locator('.graphiql-query-editor .view-line', { hasText: 'login' }).click();
  await page.keyboard.press('End');
  await page.keyboard.press('Enter');
  await page.keyboard.type('sco');
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget .monaco-list-row', { hasText: 'scopes' }).first().waitFor();

  // The documentation opens with the schema's own front page, and says of a field what it is.
  await page.getByRole('button', { name: /documentation explorer/i }).click();
  const docs = page.locator('.graphiql-doc-explorer');
  await expect.poll(() => docs.innerText()).toContain('Endpoints.');
  expect(await docs.innerText()).not.toContain('**');
  await docs.getByText('Mutation', { exact: true }).click();
  await expect
    .poll(() => docs.innerText())
    .toContain('stored, and mailed if requested, exactly once or not at all');
  expect(problems).toEqual([]);
};

const sendsFiles: Use = async ({ page, problems }) => {
  const files = [
    { name: 'přehled.txt', mimeType: 'text/plain', buffer: Buffer.from('overview\n') },
    {
      name: 'large.bin',
      mimeType: 'application/octet-stream',
      buffer: randomBytes(soaking ? 2_000_000 : 200_000),
    },
  ];
  await showExamples(page);
  await page.getByRole('button', { name: /^Upload files/ }).click();
  // Nothing is underlined as wrong: not in the operation, not in its variables.
  await page.locator('.graphiql-editors .view-line', { hasText: 'INC-000047' }).waitFor();
  // Clock: Monaco underlines what is wrong after a while, and says nothing when nothing is.
  await page.waitForTimeout(500);
  expect(
    await page.locator('.graphiql-editors .squiggly-error, .graphiql-editors .squiggly-warning').count(),
  ).toBe(0);

  await page.locator('input[type=file]').setInputFiles(files);
  const places = page.getByLabel('goes to');
  await expect.poll(() => places.count()).toBe(2);
  expect(await places.nth(0).inputValue()).toBe('input.attachments.0.file');
  expect(await places.nth(1).inputValue()).toBe('input.attachments.1.file');

  const { data } = await run<{ data: { addTicketMessage: { ticketMessage: { attachments: object[] } } } }>(
    page,
  );
  expect(data.addTicketMessage.ticketMessage.attachments).toMatchObject(
    files.map(({ name, buffer }) => ({
      fileName: name,
      byteSize: buffer.byteLength,
      sha256: createHash('sha256').update(buffer).digest('hex'),
    })),
  );

  // They belong to that tab: what another tab sends has none.
  await page.getByRole('button', { name: 'AddComment', exact: true }).click();
  await page.locator('.graphiql-query-editor .view-line', { hasText: 'AddComment' }).waitFor();
  const sent = page.waitForRequest((request) => request.postData()?.includes('AddComment') === true);
  await run(page);
  expect((await sent).headers()['content-type']).toBe('application/json');
  expect(problems).toEqual([]);
};

test.runIf(soaking)(
  'reloads restore the tabs; neither they nor the history sign out or store a credential',
  async () => {
    await using opened = await openExplorer();
    const { page } = opened;
    const login = async () => (await run<{ data: { viewer: { login: string } } }>(page)).data.viewer.login;
    await login();
    const stored = () => page.evaluate<string>('JSON.stringify(localStorage)');
    await expect.poll(stored).toContain('graphiql:queries');
    expect(await stored()).not.toContain('Basic ');

    const before = await tabsOf(page);
    for (let n = 0; n < 2; n += 1) {
      await page.reload();
      await page.locator('.graphiql-query-editor .view-line').first().waitFor();
      expect(await tabsOf(page)).toBe(before);
    }
    expect(await login()).toBe('operator');

    await page.getByRole('button', { name: 'Show History' }).click();
    await page.locator('.graphiql-history-item-label').first().click();
    expect(await login()).toBe('operator');
    expect(await stored()).not.toContain('Basic ');
  },
);

const runsExamples: Use = async ({ page }) => {
  const before = await tabsOf(page);
  await showExamples(page);
  const sent = () =>
    page.waitForRequest((request) => /"query":"(?!query IntrospectionQuery)/.test(request.postData() ?? ''));
  const first = sent();
  await page.getByRole('button', { name: /^List tickets/ }).click();
  await page.getByRole('button', { name: /execute query/i }).click();
  expect((await first).postDataJSON()).toMatchObject({
    operationName: 'ListTickets',
    variables: { filter: { status: 'OPEN' }, first: 10 },
  });
  const second = sent();
  await page.getByRole('button', { name: /^Preview a reply/ }).click();
  await page.keyboard.press('Control+Enter');
  expect((await second).postDataJSON()).toMatchObject({ operationName: 'PreviewReply' });
  expect(await tabsOf(page)).toBe(before + 2);
  // By the keyboard alone: the last tab is closed, the one that is shown then has the focus.
  await page.getByRole('button', { name: 'Close PreviewReply' }).press('Enter');
  expect(await tabsOf(page)).toBe(before + 1);
  const focused = () => page.evaluate('document.activeElement.textContent');
  await expect.poll(focused).toBe('ListTickets');
  await page.getByRole('button', { name: 'AddComment', exact: true }).press('Enter');
  await page.locator('.graphiql-query-editor .view-line', { hasText: 'AddComment' }).waitFor();
  expect(await page.locator('main').count()).toBe(1);
  expect(await page.locator('h1').count()).toBe(1);
};

test.runIf(soaking)(
  'on a phone an example is opened, read and run, and nothing is off the screen',
  async () => {
    await using opened = await openExplorer(390);
    const { page, problems } = opened;
    const right = async (selector: string) => {
      const box = (await page.locator(selector).first().boundingBox())!;
      return Math.round(box.x + box.width);
    };
    expect(await right('.graphiql-query-editor')).toBe(390);
    await page.getByRole('button', { name: 'Show Examples' }).click();
    expect(await right('.graphiql-plugin')).toBe(390);
    await page.getByRole('button', { name: /^List tickets/ }).click();
    await page.locator('.graphiql-plugin').waitFor({ state: 'hidden' });
    const { data } = await run<{ data: { tickets: { totalCount: number } } }>(page);
    expect(data.tickets.totalCount).toBeGreaterThan(0);
    await expect.poll(() => page.locator('.result-window').innerText()).toContain('totalCount');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(problems).toEqual([]);
  },
);

const uses = {
  'it loads under its policy from our origin alone, and knows reader and documentation': [loads],
  'an example with files: two picked files become attachments, to the byte': [sendsFiles],
  '▶ and Ctrl-Enter run the example that was opened; a tab is closed by the keyboard': [runsExamples],
};
/* To load the page costs more than to use it: `npm test` loads it once. */
const together = {
  'it loads, runs what it is given, and sends picked files to the byte': [loads, sendsFiles],
};
test.each(Object.entries<Use[]>(soaking ? uses : together))('%s', async (_, steps) => {
  await using opened = await openExplorer();
  for (const step of steps) await step(opened);
});
