import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

/* examples/web as its README says: installed from its lock file, built, and served beside the gateway. */

const folder = fileURLToPath(new URL('../../examples/web', import.meta.url));
/** A folder for screenshots, if somebody wants to look. */
const shots = process.env.SHOTS;

let gateway: Gateway;
/** A second process on the same desk, which the page is served from: it can be restarted. */
let door: Gateway;
let browser: Browser;
let served: ReturnType<typeof spawn>;
let url: string;

beforeAll(async () => {
  const npm = (...words: string[]) =>
    execFileSync('npm', words, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  npm('ci', '--ignore-scripts');
  npm('run', 'build');
  gateway = await startGateway({ env: { SMTP_URL: 'inbox:' } });
  door = await openDoor(0);
  served = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'preview', '--port', '0'], {
    cwd: folder,
    env: { ...process.env, TICKETWIRE_URL: door.url, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  url = await new Promise<string>((resolve) => {
    served.stdout?.on('data', (piece) => {
      const at = /http:\/\/\S+/.exec(String(piece))?.[0];
      if (at !== undefined) resolve(at);
    });
  });
  browser = await launchBrowser();
  if (shots) mkdirSync(shots, { recursive: true });
});
afterAll(async () => {
  await browser?.close();
  served?.kill();
  await door?.[Symbol.asyncDispose]();
  await gateway?.[Symbol.asyncDispose]();
});

const openDoor = (port: number) => {
  const blobs = pathToFileURL(gateway.blobsDirectory).href;
  const env = { SMTP_URL: 'inbox:', ROLES: 'web', PORT: String(port), BLOBS_URL: blobs };
  return startGateway({ env, database: gateway.database });
};

interface Opened extends AsyncDisposable {
  readonly page: Page;
  readonly problems: string[];
}

async function open(login: string, subject: RegExp, width = 1280): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width, height: 844 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
  page.on('response', async (response) => {
    if (response.status() >= 400) problems.push(`${response.status()}: ${await response.text()}`);
  });
  await page.goto(url);
  await page.getByRole('button', { name: login, exact: true }).click();
  await page.getByRole('button', { name: subject }).click();
  await page.getByRole('log').locator('article').first().waitFor();
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

const last = (page: Page) => page.getByRole('log').locator('article').last();
const write = (page: Page, text: string) => page.getByLabel('Message', { exact: true }).fill(text);
const send = (page: Page) => page.getByRole('button', { name: 'Send', exact: true }).click();
const shoot = (page: Page, name: string) => shots && page.screenshot({ path: `${shots}/${name}.png` });
const stateOf = async (body: string) =>
  (
    await gateway.sql<
      { state: string }[]
    >`select d.state from deliveries d join messages m on m.id = d.message_id
    where m.body = ${body}`
  )[0]?.state;

const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkaGj4DwADBgGAf3Z1WQAAAABJRU5ErkJggg==',
  'base64',
);

test('a reply with a picture is previewed, sent and taken back; its reader sees it live', async () => {
  await using operator = await open('operator', /INC-000047/);
  await using requester = await open('requester', /INC-000047/);
  const { page } = operator;
  await write(page, 'The badge is ready.');
  await page
    .locator('input[type=file]')
    .setInputFiles({ name: 'badge.png', mimeType: 'image/png', buffer: picture });
  await page.getByRole('button', { name: 'Remove badge.png' }).waitFor();
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect
    .poll(() => page.getByRole('dialog').innerText())
    .toMatch(/To requester@domain\.com[\s\S]*badge is ready/);
  await shoot(page, 'preview');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await send(page);
  await page.getByRole('button', { name: 'Undo' }).click();
  await expect.poll(() => page.getByRole('status').innerText()).toContain('taken back');
  expect(await stateOf('The badge is ready.')).toBe('CANCELLED');
  await expect.poll(() => last(page).innerText()).toContain('Mail cancelled');
  await expect.poll(() => last(requester.page).innerText()).toContain('The badge is ready.');
  const width = "document.querySelector('.attachments img')?.naturalWidth";
  await expect.poll(() => requester.page.evaluate(width)).toBe(1);
  await shoot(page, 'conversation');
  expect([...operator.problems, ...requester.problems]).toEqual([]);
});

test('somebody wrote meanwhile: their message is shown, and the author decides', async () => {
  await using opened = await open('operator', /INC-000046/);
  const { page } = opened;
  await write(page, 'I take this one.');
  await gateway.legacy({ TicketREF: 'INC-000046', Message: 'Already done.' });
  await expect.poll(() => last(page).innerText()).toContain('Already done.');
  await send(page);
  const dialog = page.getByRole('dialog', { name: 'While you were writing' });
  await expect.poll(() => dialog.innerText()).toContain('Already done.');
  await shoot(page, 'stale');
  await page.getByRole('button', { name: 'Send anyway' }).click();
  await expect.poll(() => last(page).innerText()).toContain('I take this one.');
  await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
  expect(opened.problems).toEqual([]);
});

test("an operator's list is live: the ticket written to comes first, and nothing is polled", async () => {
  await using opened = await open('operator', /INC-000047/);
  const { page } = opened;
  const asked: string[] = [];
  // Pictures of the conversation may still come.
  page.on('request', (request) => {
    if (request.resourceType() !== 'image') asked.push(`${request.method()} ${request.url()}`);
  });
  const first = page.getByRole('navigation', { name: 'Tickets' }).getByRole('button').first();
  await gateway.legacy({ TicketREF: 'INC-000031', Message: 'The badge does not open the door.' });
  await expect.poll(() => first.innerText()).toContain('INC-000031');
  const count = Number(/(\d+)$/.exec(await first.innerText())?.[1]);
  await gateway.legacy({ TicketREF: 'INC-000031', Message: 'It does now.' });
  await expect.poll(() => first.innerText()).toMatch(new RegExp(`${count + 1}$`));
  expect(asked).toEqual([]);
  expect(opened.problems).toEqual([]);
});

test('after a restart of the gateway, list and conversation show what happened meanwhile', async () => {
  await using opened = await open('operator', /INC-000042/);
  const { page } = opened;
  const first = page.getByRole('navigation', { name: 'Tickets' }).getByRole('button').first();
  // Both streams are open when each has brought an event.
  await gateway.legacy({ TicketREF: 'INC-000042', Message: 'Before the restart.' });
  await expect.poll(() => last(page).innerText()).toContain('Before the restart.');
  await expect.poll(() => first.innerText()).toContain('INC-000042');
  const port = Number(new URL(door.url).port);
  await door[Symbol.asyncDispose]();
  await gateway.legacy({ TicketREF: 'INC-000042', Message: 'While it was away.' });
  await gateway.legacy({ TicketREF: 'INC-000012', Message: 'And to another one.' });
  door = await openDoor(port);
  await expect.poll(() => last(page).innerText()).toContain('While it was away.');
  await expect.poll(() => first.innerText()).toContain('INC-000012');
});

test('a failed mail says why, and is tried again', async () => {
  const query =
    'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
  const email = { from: 'company@domain.com', cc: ['bounce@sandbox.test'] };
  await gateway.graphql(query, { input: { ticket: { ticketId: 45 }, body: 'It bounces.', email } });
  await using opened = await open('operator', /INC-000045/);
  const footer = last(opened.page).locator('footer');
  await expect.poll(() => footer.innerText()).toContain('did not reach everybody');
  await footer.getByRole('button', { name: 'Try again' }).click();
  const attempts = async () => (await gateway.sql`select from delivery_attempts`).count;
  await expect.poll(attempts).toBeGreaterThan(1);
  expect(opened.problems).toEqual([]);
});

test('a requester writes on a phone, and nothing is off the screen', async () => {
  await using opened = await open('requester', /INC-000047/, 390);
  const { page } = opened;
  expect(await page.getByLabel('Kind').count()).toBe(0);
  await write(page, 'Thank you!');
  await send(page);
  await expect.poll(() => last(page).innerText()).toContain('Thank you!');
  expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
  await shoot(page, 'phone');
  await page.getByRole('button', { name: '← Tickets' }).click();
  await page.getByRole('button', { name: /INC-000047/ }).waitFor();
  await shoot(page, 'phone-list');
  expect(opened.problems).toEqual([]);
});
