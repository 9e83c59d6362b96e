import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { buildExplorer } from '../../src/dev/explorer/build.ts';
import { exampleGroups } from '../../src/dev/explorer/examples/all.ts';
import type { Example } from '../../src/dev/explorer/examples/example.ts';
import { launchBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator } from '../support/gateway.ts';

/* Each example of GraphiQL's panel, opened and run in Chromium in the order of the panel. */

/** What an example answered: objects, and the texts in them. */
interface Answer {
  readonly [field: string]: Answer;
}

let app: App;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let directory: string;
/** By the name of the operation. */
const answers: Record<string, Answer> = {};

beforeAll(async () => {
  await buildExplorer();
  directory = await mkdtemp(join(tmpdir(), 'ticketwire-examples-'));
  app = await createApp(readConfig({ PORT: '0', DATA_DIR: directory, LOG_LEVEL: 'silent' }));
  browser = await launchBrowser();
  const permissions = ['clipboard-read', 'clipboard-write'];
  context = await browser.newContext({ viewport: { width: 1280, height: 844 }, permissions });
  page = await context.newPage();
  await page.goto(`${app.url}/graphql`);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
});
afterAll(async () => {
  await browser?.close();
  await app?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function ask(query: string, input?: object): Promise<Answer> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: asOperator },
    body: JSON.stringify({ query, variables: { input } }),
  });
  return ((await response.json()) as { data: Answer }).data;
}

const add = 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }';
const ticket = { reference: 'INC-000047' };

/** The id of a mail in a state, once there is one. */
const mailIn = (state: string): Promise<string> =>
  eventually(async () => {
    const { deliveries } = await ask(`{ deliveries(filter: { state: ${state} }) { nodes { id } } }`);
    return deliveries?.nodes?.[0]?.id as string | undefined;
  });

/** What a reader pastes into the variables before they run an example, from what they saw before. */
const pasted: Readonly<Record<string, () => Promise<object> | object>> = {
  SendPreviewed: () => ({ expectPreviewHash: answers.PreviewReply!.previewTicketMessage!.previewHash }),
  CancelDelivery: () => ({ delivery: answers.HoldReply!.addTicketMessage!.delivery!.id }),
  RetryDelivery: async () => ({ delivery: await mailIn('PARTIALLY_FAILED') }),
  ResolveDelivery: async () => {
    const email = { from: 'company@domain.com', cc: ['drop-after-data@sandbox.test'] };
    await ask(add, { ticket, body: 'Nobody knows whether it arrived.', email });
    return { delivery: await mailIn('OUTCOME_UNKNOWN') };
  },
  RedactMessage: () => ({ message: answers.AddComment!.addTicketMessage!.ticketMessage!.id }),
};

/** A part of each answer. */
const expected: Readonly<Record<string, object>> = {
  WhoAmI: { viewer: { login: 'operator' } },
  ListTickets: { tickets: { pageInfo: { hasNextPage: true } } },
  SearchDesk: {
    search: { nodes: expect.arrayContaining([expect.objectContaining({ ticketMessage: null })]) },
  },
  ReadTicket: { ticket: ticket },
  ReadOlderMessages: { ticket: { messages: { pageInfo: { hasPreviousPage: true } } } },
  AddComment: { addTicketMessage: { replayed: false, warnings: [] } },
  AddPrivateNote: { addTicketMessage: { ticketMessage: { visibility: 'PRIVATE' } } },
  ReplyByEmail: { addTicketMessage: { delivery: { to: ['requester@domain.com'] } } },
  UploadFiles: { addTicketMessage: { ticketMessage: { attachments: [{ fileName: 'note.txt' }] } } },
  RetrySafely: { addTicketMessage: { replayed: true } },
  ReplyUnlessChanged: { addTicketMessage: { code: 'TICKET_CHANGED' } },
  PreviewReply: { previewTicketMessage: { envelopeTo: ['requester@domain.com'] } },
  SendPreviewed: { addTicketMessage: { delivery: { state: 'QUEUED' } } },
  HoldReply: { addTicketMessage: { delivery: { state: 'HELD' } } },
  CancelDelivery: { cancelDelivery: { delivery: { state: 'CANCELLED' } } },
  ReplyWithBounce: { addTicketMessage: { delivery: { state: 'QUEUED' } } },
  WatchDeliveries: { ticket: ticket },
  ListFailures: { deliveries: { nodes: [{ state: 'PARTIALLY_FAILED' }] } },
  RetryDelivery: {
    retryDelivery: { delivery: { state: expect.stringMatching(/QUEUED|TRANSMITTING|SENT|FAILED/) } },
  },
  ResolveDelivery: { resolveDelivery: { delivery: { state: 'SENT' } } },
  CloseTicket: { setTicketStatus: { changed: true, ticket: { status: 'CLOSED' } } },
  RedactMessage: { redactMessage: { alreadyRedacted: false, ticketMessage: { bodyText: '' } } },
};

async function open({ title, operationName, variables }: Example): Promise<void> {
  const panel = page.getByRole('button', { name: 'Show Examples' });
  if (await panel.isVisible()) await panel.click();
  const example = page.locator('.tw-example').filter({ has: page.getByText(title, { exact: true }) });
  await example.click();
  await page.locator('.graphiql-query-editor .view-line', { hasText: operationName }).first().waitFor();
  const more = await pasted[operationName]?.();
  if (more === undefined) return;
  const input = { ...(variables as { input: object }).input, ...more };
  await page.locator('.graphiql-editor-tool .view-lines').first().click();
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(JSON.stringify({ input }))})`);
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.press('ControlOrMeta+V');
}

const execute = () => page.getByRole('button', { name: /execute query/i }).click();

/** The response to an operation. Chromium does not show the body of a request with files. */
const responseTo = ({ operationName, takesFiles }: Example) =>
  page.waitForResponse((response) => {
    const request = response.request();
    return takesFiles
      ? request.headers()['content-type']?.startsWith('multipart/form-data') === true
      : request.postData()?.includes(`"operationName":"${operationName}"`) === true;
  });

async function run(example: Example): Promise<Answer> {
  const answered = responseTo(example);
  await execute();
  return ((await (await answered).json()) as { data: Answer }).data;
}

/** A subscription shows what somebody writes, until it is stopped. */
async function watch(example: Example): Promise<void> {
  const begun = responseTo(example);
  await execute();
  await begun;
  const body = `Somebody watches by ${example.operationName}.`;
  await ask(add, { ticket, body });
  // The editor breaks long lines anywhere.
  const shown = async () => (await page.locator('.result-window').innerText()).replaceAll(/\s/g, '');
  await expect.poll(shown).toContain(body.replaceAll(' ', ''));
  await page.getByRole('button', { name: /stop query/i }).click();
}

const inOrder = Object.values(exampleGroups).flat();

test('each example is opened, run and answered', async () => {
  const seen: object[] = [];
  for (const example of inOrder) {
    await open(example);
    if (example.takesFiles) {
      const file = { name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('a note') };
      await page.locator('input[type=file]').setInputFiles(file);
      await page.getByLabel('goes to').waitFor();
    }
    if (example.query.startsWith('subscription')) {
      await watch(example);
      continue;
    }
    if (example.operationName === 'RetrySafely') await run(example);
    if (example.operationName === 'ListFailures') await mailIn('PARTIALLY_FAILED');
    const answer = await run(example);
    answers[example.operationName] = answer;
    seen.push({ [example.operationName]: answer });
    expect(answer, example.operationName).toMatchObject(expected[example.operationName]!);
  }
  expect(seen.map((answer) => Object.keys(answer)[0])).toEqual(Object.keys(expected));
});
