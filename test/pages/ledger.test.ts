import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createToken } from '../../src/auth/tokens.ts';
import { launchBrowser } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { reorderedTexts } from '../support/observed/reordered-texts.ts';
import { sampled, soaking } from '../support/soak.ts';

/* The operators' page of mails, as it is served in production: nobody is signed in by the page itself. */

let gateway: Gateway;
let browser: Browser;
beforeAll(async () => {
  gateway = await startGateway({ env: { SMTP_URL: 'inbox:', EXPLORER: '0' } });
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await gateway?.[Symbol.asyncDispose]();
});

const reply = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  ... on AddTicketMessagePayload { delivery { id } } ... on UserError { message } } }`;

/** Mails a reply in a ticket of its own, and waits until it is in one of the states. */
async function mail(ticketId: number, email: object, ...until: string[]): Promise<string> {
  const input = { ticket: { ticketId }, body: 'x', email: { from: 'company@domain.com', ...email } };
  const { data } = await gateway.graphql<{ addTicketMessage: { delivery: { id: string } } }>(reply, {
    input,
  });
  const { id } = data.addTicketMessage.delivery;
  await eventually(async () => until.includes(await stateOf(id)));
  return id;
}

async function stateOf(id: string): Promise<string> {
  const query = 'query ($id: ID!) { node(id: $id) { ... on Delivery { state } } }';
  return (await gateway.graphql<{ node: { state: string } }>(query, { id })).data.node.state;
}

async function open(width = 1280): Promise<{ page: Page; problems: string[] } & AsyncDisposable> {
  const context = await browser.newContext({ viewport: { width, height: 844 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => {
    // A refused sign-in is a 401, which the browser reports.
    if (message.type() === 'error' && !message.text().includes('401')) problems.push(message.text());
  });
  await page.goto(`${gateway.url}/ledger`);
  return { page, problems, [Symbol.asyncDispose]: () => context.close() };
}

async function signIn(page: Page, given: { login?: string; password?: string; token?: string }) {
  for (const [label, text] of Object.entries({
    Login: given.login,
    Password: given.password,
    Token: given.token,
  }))
    await page.getByLabel(label).fill(text ?? '');
  await page.getByRole('button', { name: 'Sign in' }).click();
}
const operator = { login: 'operator', password: 'operator' };

test('it shows nothing to strangers and requesters, and is under a policy of its own', async () => {
  await using opened = await open();
  const { page, problems } = opened;
  await signIn(page, { login: 'operator', password: 'wrong' });
  await expect.poll(() => page.getByRole('alert').innerText()).not.toBe('');
  await signIn(page, { token: 'žádný' });
  await expect.poll(() => page.getByRole('alert').innerText()).toMatch(/ISO-8859-1/);
  await signIn(page, { login: 'requester', password: 'requester' });
  await expect.poll(() => page.getByRole('alert').innerText()).toBe('The ledger is for operators.');
  expect(await page.locator('article').count()).toBe(0);
  const answer = await fetch(`${gateway.url}/ledger`);
  expect(answer.headers.get('content-security-policy')).toMatch(
    /^default-src 'none';.*frame-ancestors 'none'/,
  );
  expect(await answer.text()).not.toMatch(/Basic|<script>|style=/);
  expect((await fetch(`${gateway.url}/ledger`, { method: 'POST' })).status).toBe(405);
  expect((await fetch(`${gateway.url}/ledger/assets/endpoint.ts`)).status).toBe(404);
  expect(problems).toEqual([]);
});

test('an operator decides about an unknown mail, retries a failed one and cancels a held one', async () => {
  const unknown = await mail(21, { cc: ['drop-after-data@sandbox.test'] }, 'OUTCOME_UNKNOWN');
  const failed = await mail(22, { cc: ['bounce@sandbox.test'] }, 'PARTIALLY_FAILED');
  const held = await mail(23, { holdSeconds: 3600 }, 'HELD');
  await using opened = await open();
  const { page, problems } = opened;
  await signIn(page, operator);
  const card = (id: string) => page.locator(`article[data-id="${id}"]`);
  const news = () => page.getByRole('status').innerText();

  await card(unknown)
    .getByRole('button', { name: /^It arrived/ })
    .click();
  await card(unknown).getByRole('button', { name: 'Really: it arrived' }).click();
  await expect.poll(news).toBe('Recorded as sent.');
  await card(unknown).waitFor({ state: 'detached' });
  expect(await stateOf(unknown)).toBe('SENT');

  expect(await card(failed).innerText()).toMatch(/bounce@sandbox\.test\s+Failed[\s\S]*550 5\.1\.1/);
  await card(failed)
    .getByRole('button', { name: /^Try again/ })
    .click();
  await expect.poll(news).toBe('It will be sent again.');

  await page.getByRole('link', { name: /^Waiting/ }).click();
  await card(held)
    .getByRole('button', { name: /^Cancel/ })
    .focus();
  await page.keyboard.press('Enter');
  expect(await stateOf(held)).toBe('HELD');
  await page.keyboard.press('Enter');
  await expect.poll(news).toBe('Cancelled. The message stays in its ticket.');
  expect(await stateOf(held)).toBe('CANCELLED');
  await page.getByRole('link', { name: /^Cancelled/ }).click();
  await card(held).waitFor();
  expect(problems).toEqual([]);
});

test.runIf(soaking)(
  'what can no longer be done is told, and a credential without the scope changes nothing',
  async () => {
    const held = await mail(24, { holdSeconds: 3600 }, 'HELD');
    const [user] = await gateway.sql<{ id: number }[]>`select id from users where login = 'operator'`;
    const { token } = await createToken(gateway.database.database.desk, {
      ...{ userId: user!.id, name: 'looks only', scopes: ['read'] },
    });
    await using looking = await open();
    await signIn(looking.page, { token });
    await looking.page.getByRole('link', { name: /^Waiting/ }).click();
    await looking.page.locator(`article[data-id="${held}"]`).waitFor();
    expect(await looking.page.locator('article button').count()).toBe(0);

    await using changing = await open();
    await signIn(changing.page, operator);
    await changing.page.getByRole('link', { name: /^Waiting/ }).click();
    const cancel = changing.page.locator(`article[data-id="${held}"]`).getByRole('button');
    await cancel.click();
    const query = 'mutation ($input: DeliveryInput!) { cancelDelivery(input: $input) { __typename } }';
    await gateway.graphql(query, { input: { delivery: held } });
    await cancel.click();
    await expect.poll(() => changing.page.getByRole('status').innerText()).toMatch(/CANCELLED|cancelled/);
  },
);

test.runIf(soaking)(
  'one ticket can be looked up, and a phone shows all without scrolling sideways',
  async () => {
    const held = await mail(25, { holdSeconds: 3600, cc: [`${'long.'.repeat(11)}name@example.com`] }, 'HELD');
    await using opened = await open(390);
    const { page } = opened;
    await signIn(page, operator);
    await page.getByRole('searchbox').fill('inc-000025');
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: /^Waiting/ }).click();
    await page.locator(`article[data-id="${held}"]`).waitFor();
    expect(await page.locator('article').count()).toBe(1);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    await page.getByRole('searchbox').fill('INC-nowhere');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('status').innerText()).toBe('There is no ticket INC-nowhere.');
  },
);

test.runIf(soaking)(
  'of more mails than a page holds the newest are shown first, and each can be reached',
  async () => {
    await gateway.sql`
    with m as (
      insert into messages (ticket_id, author_id, body, format, visibility, is_mobile_device)
      select 28, 1, 'x', 'TEXT', 'PUBLIC', false from generate_series(1, 1045) returning id, ticket_id
    ), d as (
      insert into deliveries (message_id, ticket_id, mailbox_id, from_address, from_name, subject,
        rfc_message_id, state)
      select id, ticket_id, 1, 'a', 'a', '<b>' || row_number() over (order by id), '<' || id || '@x>',
        'CANCELLED'
      from m order by id returning id
    ) insert into delivery_recipients (delivery_id, position, kind, address, state)
      select id, 1, 'TO', 'a', 'CANCELLED' from d`;
    await using opened = await open();
    const { page, problems } = opened;
    await signIn(page, operator);
    await page.getByRole('link', { name: /^Cancelled/ }).click();
    const first = page.locator('article h3').first();
    await expect.poll(() => first.innerText()).toBe('<b>1045');
    await page.getByRole('button', { name: 'Show older' }).click();
    await expect.poll(() => first.innerText()).toBe('<b>1025');
    expect(await page.locator(':focus').innerText()).toBe('Cancelled');
    await page.getByRole('button', { name: 'Show older' }).click();
    await expect.poll(() => first.innerText()).toBe('<b>1005');
    expect(await page.getByRole('link', { name: /^Cancelled/ }).innerText()).toBe('Cancelled 1000+');
    await page.getByRole('button', { name: 'Show the newest' }).click();
    await expect.poll(() => first.innerText()).toBe('<b>1045');
    expect(problems).toEqual([]);
  },
);

test.runIf(soaking)(
  'a change without an answer can be tried again, and the trouble is told until it is over',
  async () => {
    const held = await mail(26, { holdSeconds: 3600 }, 'HELD');
    await using opened = await open();
    const { page } = opened;
    await signIn(page, operator);
    await page.getByRole('link', { name: /^Waiting/ }).click();
    const cancel = page.locator(`article[data-id="${held}"]`).getByRole('button');
    const news = () => page.getByRole('status').innerText();
    await cancel.waitFor();
    await page.route('**/graphql', (route) => route.abort());
    await cancel.click();
    await cancel.click();
    await expect.poll(news).toBe('Failed to fetch');
    await expect.poll(() => cancel.innerText()).toBe('Cancel');
    expect(await cancel.isEnabled()).toBe(true);
    await page.unroute('**/graphql');
    await page.getByRole('link', { name: /^Sent/ }).click();
    await expect.poll(news).toBe('');
    await page.getByRole('link', { name: /^Waiting/ }).click();
    await cancel.click();
    await page.getByRole('searchbox').focus();
    expect(await cancel.innerText()).toBe('Cancel');
    await cancel.click();
    await cancel.click();
    await expect.poll(news).toBe('Cancelled. The message stays in its ticket.');
  },
);

test.runIf(soaking)(
  'an answer that comes late shows nothing of another group, or after signing out',
  async () => {
    const held = await mail(27, { holdSeconds: 3600 }, 'HELD');
    await using opened = await open();
    const { page } = opened;
    await signIn(page, operator);
    await page.getByRole('link', { name: /^Waiting/ }).waitFor();
    /** Holds up the answer to the next request until it is called. */
    async function holdUp() {
      const asked = Promise.withResolvers<void>();
      const released = Promise.withResolvers<void>();
      const hold = async (route: Route) => {
        asked.resolve();
        await released.promise;
        await route.continue();
      };
      await page.route('**/graphql', hold, { times: 1 });
      return {
        asked: asked.promise,
        async release() {
          const answer = page.waitForResponse('**/graphql');
          released.resolve();
          await (await answer).finished();
        },
      };
    }

    const sent = await holdUp();
    await page.getByRole('link', { name: /^Sent/ }).click();
    await sent.asked;
    await page.getByRole('link', { name: /^Waiting/ }).click();
    const card = page.locator(`article[data-id="${held}"]`);
    await card.waitFor();
    await sent.release();
    expect(await card.count()).toBe(1);

    const waiting = await holdUp();
    await page.evaluate("dispatchEvent(new Event('hashchange'))");
    await waiting.asked;
    await page.getByRole('button', { name: 'Sign out' }).click();
    await waiting.release();
    expect(await page.locator('#mails').innerHTML()).toBe('');
  },
);

test('a sender or a reason that turns the direction of text turns nothing beside it', async () => {
  const id = await mail(28, { holdSeconds: 3600 }, 'HELD');
  const deliveryId = Number(atob(id).split(':')[1]);
  // One that first ends what the page may have put around it, and an override that is never ended.
  for (const turning of sampled(['\u2069\u202c\u202e', '\u202e'], 2)) {
    const turned = `turned ${turning}text`;
    await gateway.sql`update deliveries set from_name = ${turned}, subject = ${turned}, failure = ${turned}
      where id = ${deliveryId}`;
    await using opened = await open();
    const { page } = opened;
    await signIn(page, operator);
    await page.locator('[data-group="waiting"]').click();
    await page.getByRole('heading', { name: turned }).waitFor();
    expect(await reorderedTexts(page), JSON.stringify(turning)).toEqual([]);
  }
});
