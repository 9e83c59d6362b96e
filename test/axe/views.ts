import type { Page } from 'playwright-core';
import { asOperator } from '../support/gateway.ts';

/** What somebody sees who opens a page and does something there. */
interface View {
  readonly name: string;
  open(page: Page, url: string): Promise<void>;
}

const reply = `mutation($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename ... on UserError { message } } }`;

/** Puts a mail with a formatted body, several recipients and a file into the inbox. */
async function send(url: string, cc = 'colleague@sandbox.test'): Promise<void> {
  const form = new FormData();
  const input = {
    ticket: { reference: 'INC-000047' },
    body: '<h2>Hello</h2><p>See <a href="https://example.com/">the manual</a>.</p><ul><li>one</li></ul>',
    format: 'HTML',
    attachments: [{ file: null }],
    email: { from: 'company@domain.com', cc: [cc], bcc: ['archive@sandbox.test'] },
  };
  form.set('operations', JSON.stringify({ query: reply, variables: { input } }));
  form.set('map', JSON.stringify({ 0: ['variables.input.attachments.0.file'] }));
  form.set('0', new File(['overview'], 'overview.txt', { type: 'text/plain' }));
  const headers = { authorization: asOperator, 'graphql-preflight': '1' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body: form });
  const answer = JSON.stringify(await response.json());
  if (!answer.includes('AddTicketMessagePayload')) throw new Error(answer);
}

async function explorer(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/graphql`);
  await page.locator('.graphiql-query-editor .view-line').first().waitFor();
}

/** The explorer with one of its panels or dialogs, opened by its button. */
const panel = (button: RegExp, shown: string) => async (page: Page, url: string) => {
  await explorer(page, url);
  await page.getByRole('button', { name: button }).first().click();
  await page.locator(shown).first().waitFor();
};

export const views: readonly View[] = [
  { name: 'explorer', open: explorer },
  {
    name: 'explorer with an answer',
    async open(page, url) {
      await explorer(page, url);
      const answered = page.waitForResponse((response) => response.request().method() === 'POST');
      await page.getByRole('button', { name: /execute query/i }).click();
      await (await answered).finished();
    },
  },
  { name: 'explorer, examples', open: panel(/(show|hide) examples/i, '.graphiql-container') },
  { name: 'explorer, documentation', open: panel(/documentation explorer/i, '.graphiql-doc-explorer') },
  { name: 'explorer, history', open: panel(/show history/i, '.graphiql-history') },
  { name: 'explorer, files', open: panel(/attach files|^files/i, '.graphiql-plugin') },
  { name: 'explorer, settings', open: panel(/settings/i, '[role=dialog]') },
  { name: 'explorer, keys', open: panel(/short.?keys/i, '[role=dialog]') },
  {
    name: 'inbox, a mail',
    async open(page, url) {
      await send(url);
      await page.goto(`${url}/inbox/`);
      await page.locator('#mails a').first().click();
      await page.waitForLoadState('networkidle');
    },
  },
  {
    name: 'inbox',
    async open(page, url) {
      await page.goto(`${url}/inbox/`);
    },
  },
  {
    name: 'inbox, nothing found',
    async open(page, url) {
      await page.goto(`${url}/inbox/?q=nothing-like-this`);
    },
  },
  {
    name: 'inbox, no such mail',
    async open(page, url) {
      await page.goto(`${url}/inbox/999999`);
    },
  },
  {
    name: 'ledger',
    async open(page, url) {
      await send(url, 'bounce@sandbox.test');
      await send(url, 'drop-after-data@sandbox.test');
      await page.goto(`${url}/ledger`);
      await page.getByRole('heading', { name: 'Failed' }).waitFor();
      await page.getByRole('heading', { name: 'Outcome unknown' }).waitFor();
    },
  },
  {
    name: 'help of the legacy endpoint',
    async open(page, url) {
      await page.goto(`${url}/api`);
    },
  },
];
