import { createHash } from 'node:crypto';
import { createTransport } from 'nodemailer';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createToken } from '../../../src/auth/tokens.ts';
import { inboxMails } from '../../../src/db/tables.ts';
import { addInboxMail } from '../../../src/dev/inbox/store.ts';
import type { Scope } from '../../../src/platform/request-context.ts';
import { launchBrowser } from '../../support/browser.ts';
import { asOperator, asRequester, basic, type Gateway, startGateway } from '../../support/gateway.ts';
import { reorderedTexts } from '../../support/observed/reordered-texts.ts';
import { soaking } from '../../support/soak.ts';

const reply = `mutation Reply($input: AddTicketMessageInput!) {
  addTicketMessage(input: $input) { __typename ... on AddTicketMessagePayload { delivery { rfcMessageId } } }
}`;

interface Reply {
  addTicketMessage: { delivery: { rfcMessageId: string } };
}

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startGateway({ env: { SMTP_URL: 'inbox:' } });
});
afterAll(() => gateway?.[Symbol.asyncDispose]());
beforeEach(async () => {
  // No mail of the test before comes later.
  await gateway.sql`update deliveries set due_at = now() + interval '1 day' where state = 'DEFERRED'`;
  await gateway.sql`delete from inbox_mails`;
});

function get(
  path: string,
  authorization: string | undefined = asOperator,
  headers: Record<string, string> = {},
) {
  return fetch(gateway.url + path, {
    headers: { ...(authorization === '' ? {} : { authorization }), ...headers },
    redirect: 'manual',
  });
}

const json = async (path: string) => (await get(path, asOperator, { accept: 'application/json' })).json();

/** Puts a mail into the inbox as if it had come by SMTP. @returns its id */
async function deliver(mail: object): Promise<number> {
  const transport = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await transport.sendMail({
    from: 'company@domain.com',
    to: 'jane.doe@domain.com',
    ...mail,
  });
  await addInboxMail(gateway.database.database.desk, {
    mailFrom: 'company@domain.com',
    rcptTo: ['jane.doe@domain.com'],
    source: message as Buffer,
  });
  const [newest] = (await json('/inbox/')).mails;
  return newest.id;
}

test('a mail reply is in the inbox with headers and source; Bcc is listed, but in no header', async () => {
  const { data } = await gateway.graphql<Reply>(reply, {
    input: {
      ticket: { reference: 'INC-000047' },
      body: 'Can I meet you this afternoon?',
      email: {
        from: 'company@domain.com',
        cc: ['boss@domain.com'],
        bcc: ['secret@hidden.test', 'other@hidden.test'],
      },
    },
  });
  const { rfcMessageId } = data.addTicketMessage.delivery;
  await expect.poll(async () => (await json('/inbox/')).mails.length).toBe(1);
  const [entry] = (await json('/inbox/')).mails;
  const page = await (await get(entry.url)).text();
  expect(page).toMatch(/Re: .* \[INC-000047\]/);
  const [requester] =
    await gateway.sql`select u.email from users u join tickets t on t.requester_id = u.id where t.id = 47`;
  expect(page).toContain(requester!.email);
  expect(page).toContain('boss@domain.com');
  expect(page).toContain(rfcMessageId.replace('<', '&lt;').replace('>', '&gt;'));
  expect(page).toContain('Can I meet you this afternoon?');

  const [row] = await gateway.sql`select rcpt_to from inbox_mails`;
  expect(row!.rcpt_to).toEqual(expect.arrayContaining(['secret@hidden.test', 'other@hidden.test']));
  for (const path of ['/inbox/', `${entry.url}/html`, `${entry.url}/source`, '/inbox/list']) {
    for (const accept of ['text/html', 'application/json']) {
      expect(await (await get(path, asOperator, { accept })).text(), path).not.toContain('hidden.test');
    }
  }
  expect(page).toMatch(/<dt>Bcc<\/dt><dd>.*secret@hidden\.test.*other@hidden\.test.*not in the headers/s);
  expect((await json(entry.url)).envelope.to).toEqual(row!.rcpt_to);
});

test('what became of each recipient is beside the mail, and whoever was refused is there too', async () => {
  const { data } = await gateway.graphql<Reply>(reply, {
    input: {
      ticket: { reference: 'INC-000047' },
      body: 'Some of you will not get this',
      email: {
        from: 'company@domain.com',
        cc: ['bounce@sandbox.test', '"a, b@ c"@domain.com'],
        bcc: ['defer-9@sandbox.test', 'jörg@domain.com'],
      },
    },
  });
  const { rfcMessageId } = data.addTicketMessage.delivery;
  const find = async () => {
    const { mails } = await json('/inbox/?q=some%20of%20you');
    return mails.length === 0 ? undefined : json(mails[0].url);
  };
  await expect.poll(async () => (await find())?.recipients?.[1]?.state).toBe('FAILED');
  const mail = await find();
  expect(mail.messageId).toBe(rfcMessageId);
  expect(mail.envelope.to).toEqual(['requester@domain.com', '"a, b@ c"@domain.com', 'jörg@domain.com']);
  expect(
    mail.recipients.map(({ kind, address, state }: Record<string, string>) => [kind, address, state]),
  ).toEqual([
    ['TO', 'requester@domain.com', 'SENT'],
    ['CC', 'bounce@sandbox.test', 'FAILED'],
    ['CC', '"a, b@ c"@domain.com', 'SENT'],
    ['BCC', 'defer-9@sandbox.test', 'DEFERRED'],
    ['BCC', 'jörg@domain.com', 'SENT'],
  ]);
  const page = await (await get(mail.url)).text();
  expect(page).toMatch(/bounce@sandbox\.test.*Failed.*The address does not exist\..*550 5\.1\.1/s);
});

describe('who may read it', () => {
  test('nobody without a password: a browser is asked for one, below /inbox/ alone', async () => {
    const home = await get('/inbox', '');
    expect([home.status, home.headers.get('location')]).toEqual([302, '/inbox/']);
    for (const path of [
      '/inbox/',
      '/inbox/1',
      '/inbox/1/html',
      '/inbox/1/source',
      '/inbox/1/files/0',
      '/inbox/list',
    ]) {
      const answer = await get(path, '');
      expect(answer.status, path).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
      expect(await answer.text()).not.toContain('domain.com');
    }
    expect((await get('/inbox/', basic('operator', 'wrong'))).status).toBe(401);
  });

  test('not a requester, who gets no content and can sign in as somebody else', async () => {
    await deliver({ subject: 'for operators', text: 'x' });
    for (const path of ['/inbox/', '/inbox', '/inbox/1', '/inbox/1/source', '/inbox/999999', '/inbox/list']) {
      const answer = await get(path, asRequester);
      expect(answer.status, path).toBe(403);
      expect(answer.headers.get('www-authenticate')).toBeNull();
      expect(await answer.text()).not.toMatch(/domain\.com|for operators/);
    }
    const other = await get('/inbox/sign-in', asRequester);
    expect(other.status).toBe(401);
    expect(other.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect((await get('/inbox/sign-in')).headers.get('location')).toBe('/inbox/');
  });

  test('reading and deleting, and the latter not for a page of another origin', async () => {
    const id = await deliver({ subject: 'stays', text: 'x' });
    for (const site of ['cross-site', 'same-site']) {
      const headers = { authorization: asOperator, 'sec-fetch-site': site };
      const answer = await fetch(`${gateway.url}/inbox/${id}`, { method: 'DELETE', headers });
      expect(answer.status).toBe(403);
      expect(await answer.text()).toContain('A page of another site may not delete mails.');
    }
    expect((await get(`/inbox/${id}`)).status).toBe(200);
    for (const method of ['POST', 'PUT', 'PATCH']) {
      const answer = await fetch(`${gateway.url}/inbox/1`, {
        method,
        headers: { authorization: asOperator },
      });
      expect(answer.status).toBe(405);
    }
  });
});

test('an operator is told which scope is missing, a requester that it is for operators', async () => {
  const id = await deliver({ subject: 'stays', text: 'x' });
  const withScope = async (scope: Scope) => {
    const given = { userId: 1, name: `only ${scope}`, scopes: [scope] };
    return `Bearer ${(await createToken(gateway.database.database.desk, given)).token}`;
  };
  const told = async (method: string, authorization: string) => {
    const answer = await fetch(`${gateway.url}/inbox/${id}`, { method, headers: { authorization } });
    return [answer.status, /<p>(.*?) <a/.exec(await answer.text())?.[1]];
  };
  const reader = await withScope('read');
  const writer = await withScope('write');
  const missing = (scope: string, what: string) =>
    `You cannot ${what} mails: your credential does not have the scope ${scope}.`;
  expect(await told('DELETE', reader)).toEqual([403, missing('write', 'delete')]);
  expect(await told('GET', writer)).toEqual([403, missing('read', 'read')]);
  expect(await told('DELETE', writer)).toEqual([403, missing('read', 'read')]);
  expect(await told('GET', asRequester)).toEqual([403, 'Only operators may read the inbox.']);
  expect((await get(`/inbox/${id}`, reader)).status).toBe(200);
  const asProgram = await get(`/inbox/${id}`, writer, { accept: 'application/json' });
  expect([asProgram.status, await asProgram.json()]).toEqual([403, { message: missing('read', 'read') }]);
});

describe('a mail that means harm', () => {
  const canary = '<script>document.title = "owned"</script>';

  test('is text wherever the page shows it', async () => {
    const id = await deliver({
      from: `"${canary.replaceAll('"', '\\"')}" <a@domain.com>`,
      subject: canary,
      text: canary,
      headers: { 'X-Canary': canary },
      attachments: [{ filename: `${canary}.txt`, content: 'x' }],
    });
    for (const path of ['/inbox/', '/inbox/list', `/inbox/${id}`]) {
      const answer = await get(path);
      expect(await answer.text(), path).not.toContain('<script>');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      if (path !== '/inbox/list') {
        expect(answer.headers.get('content-security-policy')).toMatch(
          /default-src 'none'.*script-src 'self';/,
        );
      }
    }
  });

  test('has its HTML shown without what is active, under a policy that stops the rest', async () => {
    const id = await deliver({
      html: `${canary}<p onclick="x()">Hello <img src="cid:logo" onerror="x()">
        <img src="https://track.example/a.gif">
        <svg onload="x()"><script>x()</script></svg>
        <a href="javascript:x()">a</a><a href="https://example.org/">b</a>
        <iframe src="https://evil.example"></iframe>
        <meta http-equiv="refresh" content="0;url=https://evil.example">
        <link rel="preconnect" href="https://evil.example"><base href="https://evil.example/">
        <object data="x"></object></p>`,
      attachments: [
        { filename: 'logo.png', content: Buffer.from('PNG'), cid: 'logo', contentType: 'image/png' },
      ],
    });
    const answer = await get(`/inbox/${id}/html`);
    const text = await answer.text();
    expect(text).not.toMatch(
      /<script|onclick|onerror|onload|track\.example|<iframe|<object|<link|http-equiv/i,
    );
    // URLs that are not loaded automatically may be shown: as text, or as a link.
    expect(text.match(/(?:href|src|data-src|action|background)="[^"]*/g)).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/"(?!https:\/\/|data:image\/png)/)]),
    );
    expect(text.match(/src="https?:/g)).toBeNull();
    expect(text).toContain(`src="data:image/png;base64,${Buffer.from('PNG').toString('base64')}"`);
    expect(text).toContain('href="https://example.org/"');
    const policy = answer.headers.get('content-security-policy')!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).toMatch(/sandbox(?!.*allow-(scripts|same-origin|forms|top-navigation))/);
    expect(policy).not.toContain('script-src');
  });

  test('costs the list and its page little, however many blanks are in a name', async () => {
    const source = Buffer.from(`From: "Jane${' '.repeat(300_000)}Doe" <a@domain.com>\r\n\r\nHello`);
    await addInboxMail(gateway.database.database.desk, { mailFrom: '', rcptTo: [], source });
    const before = process.cpuUsage();
    const [{ id }] = (await json('/inbox/')).mails;
    for (const path of ['/inbox/', `/inbox/${id}`])
      expect(await (await get(path)).text(), path).toMatch(/<bdi>Jane +Doe<\/bdi>/);
    // Minutes, when each blank begins a search for the address.
    expect(process.cpuUsage(before).user / 1e6).toBeLessThan(10);
  });

  test.runIf(soaking)('shows an image as often as it likes, but up to 64 MiB of images', async () => {
    const content = Buffer.alloc(2 ** 20, 7);
    const id = await deliver({
      html: '<img src="cid:logo">'.repeat(500),
      attachments: [{ filename: 'logo.png', content, cid: 'logo', contentType: 'image/png' }],
    });
    const shown = await (await get(`/inbox/${id}/html`)).text();
    expect(shown.split(`src="data:image/png;base64,${content.toString('base64')}"`)).toHaveLength(64 + 1);
    expect(shown.split('<img')).toHaveLength(500 + 1);
    expect((await get(`/inbox/${id}`)).status).toBe(200);
  });

  test('cannot have an attachment opened on our origin', async () => {
    const content = '<script>alert(1)</script>';
    const id = await deliver({
      text: 'x',
      attachments: [{ filename: 'př"e\r\nhled.html', content, contentType: 'text/html' }],
    });
    const { files } = await json(`/inbox/${id}`);
    const answer = await get(files[0].url);
    expect(await answer.text()).toBe(content);
    expect(answer.headers.get('content-disposition')).toMatch(
      /^attachment; filename="[^"]*"; filename\*=UTF-8''p%C5%99/,
    );
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    expect(answer.headers.get('content-security-policy')).toContain('sandbox');
  });
});

test('what does not exist is 404, whatever is asked', async () => {
  const id = await deliver({ text: 'x' });
  for (const path of [
    ...['/inbox/0', '/inbox/-1', '/inbox/2147483648', '/inbox/99999999999999999999', '/inbox/1e3'],
    ...[`/inbox/${id}/`, `/inbox/${id}/files/0`, `/inbox/${id}/files/99999999999`, `/inbox/${id}/other`],
    ...['/inbox/assets/', '/inbox/assets/__proto__', '/inbox/..%2fpackage.json', '/inbox/%'],
  ]) {
    expect((await get(path)).status, path).toBe(404);
  }
  expect((await get('/inbox/?before=abc')).status).toBe(200);
});

test('a mail is unread until its page is opened; search finds addresses, subject and text', async () => {
  await gateway.database.database.desk.delete(inboxMails);
  const first = await deliver({ subject: 'Printer 100% on fire', text: 'The paper   burns\nas well.' });
  await deliver({ subject: 'Something else', text: 'x', cc: 'Žofie <zofie@domain.com>' });
  const found = async (q: string) =>
    (await json(`/inbox/?q=${encodeURIComponent(q)}`)).mails.map(
      ({ subject }: { subject: string }) => subject,
    );
  expect(await found('PAPER burns')).toEqual(['Printer 100% on fire']);
  expect(await found('100%')).toEqual(['Printer 100% on fire']);
  expect(await found('%')).toEqual(['Printer 100% on fire']);
  expect(await found('žofie')).toEqual(['Something else']);
  expect(await found('jane.doe')).toHaveLength(2);
  expect(await found("' or 1=1 --")).toEqual([]);
  await deliver({ subject: 'İstanbul, ΟΔΟΣ 5', text: 'x' });
  for (const q of ['İstanbul', 'istanbul', 'ΟΔΟΣ', 'ΟΔΟσ'])
    expect(await found(q), q).toEqual(['İstanbul, ΟΔΟΣ 5']);
  expect((await json('/inbox/')).mails[2]).toMatchObject({
    isUnread: true,
    snippet: 'The paper burns as well.',
  });
  await json(`/inbox/${first}`);
  expect((await json('/inbox/')).unread).toBe(3);
  await get(`/inbox/${first}`);
  expect(await json('/inbox/')).toMatchObject({
    unread: 2,
    mails: [{ isUnread: true }, { isUnread: true }, { isUnread: false }],
  });
});

test('the beginning of a text ends with a whole character', async () => {
  await deliver({ subject: 'cut', text: `${'x'.repeat(159)}😀 and more` });
  const [{ snippet }] = (await json('/inbox/')).mails;
  expect([snippet.isWellFormed(), snippet.length]).toEqual([true, 160]);
});

test('a mail can be deleted, and all of them', async () => {
  await gateway.database.database.desk.delete(inboxMails);
  const id = await deliver({ subject: 'to go', text: 'x' });
  await deliver({ subject: 'to stay', text: 'x' });
  const remove = async (path: string, authorization = asOperator) =>
    (await fetch(gateway.url + path, { method: 'DELETE', headers: { authorization } })).status;
  expect(await remove(`/inbox/${id}`, asRequester)).toBe(403);
  expect([await remove(`/inbox/${id}`), await remove(`/inbox/${id}`)]).toEqual([200, 404]);
  expect((await json('/inbox/')).mails).toMatchObject([{ subject: 'to stay' }]);
  expect([await remove('/inbox/0'), await remove('/inbox/x')]).toEqual([404, 404]);
  expect(await remove('/inbox/')).toBe(200);
  expect((await json('/inbox/')).mails).toEqual([]);
});

test('what a search finds can be deleted, and nothing else', async () => {
  await gateway.database.database.desk.delete(inboxMails);
  await deliver({ subject: 'of this test', text: 'x' });
  await deliver({ subject: 'of another', text: 'x' });
  const headers = { authorization: asOperator };
  const remove = (path: string) => fetch(gateway.url + path, { method: 'DELETE', headers });
  expect(await (await remove('/inbox/?q=this+test')).json()).toEqual({ deleted: 1 });
  expect((await json('/inbox/')).mails).toMatchObject([{ subject: 'of another' }]);
  expect(await (await remove('/inbox/?q=nothing')).json()).toEqual({ deleted: 0 });
  for (const blank of ['+', '%00', '+%00%09'])
    expect(await (await remove(`/inbox/?q=${blank}`)).json()).toEqual({ deleted: 0 });
  for (const wrong of ['query=x', 'Q=x', 'after=9', 'q=of&q=this', `q=of+${'x'.repeat(200)}`])
    expect((await remove(`/inbox/?${wrong}`)).status).toBe(400);
  expect((await json('/inbox/')).mails).toHaveLength(1);
});

test('a program waits for a mail that is still to come, and is told when none came', async () => {
  const known = await deliver({ subject: 'before', text: 'x' });
  const waiting = json(`/inbox/?after=${known}&q=wanted&wait=30`);
  await deliver({ subject: 'other', text: 'x' });
  const id = await deliver({ subject: 'wanted', text: 'x' });
  expect((await waiting).mails).toMatchObject([{ id, subject: 'wanted' }]);
  expect((await json(`/inbox/?after=${id}&wait=0.2`)).mails).toEqual([]);
  expect((await json(`/inbox/?after=${known}&wait=nonsense`)).mails).toHaveLength(2);
});

test('a program that asks after something else than a mail is not answered with older mails', async () => {
  const id = await deliver({ subject: 'before', text: 'x' });
  for (const wrong of ['after=undefined', 'after=', 'before=-1']) {
    const answer = await get(`/inbox/?${wrong}`, asOperator, { accept: 'application/json' });
    expect([answer.status, (await answer.json()).message]).toEqual([
      400,
      expect.stringContaining('id of a mail'),
    ]);
  }
  expect((await json('/inbox/?after=0')).mails).toMatchObject([{ id }]);
});

test('the source is byte-identical, and a mail without recipients or subject is shown', async () => {
  const source = Buffer.from('Date: Sun, 22 Nov 2026 12:00:00 +0000\r\n\r\n\xff\x00 not text\r\n', 'latin1');
  await addInboxMail(gateway.database.database.desk, { mailFrom: '', rcptTo: ['x@domain.com'], source });
  const [newest] = (await json('/inbox/')).mails;
  expect(newest).toMatchObject({ from: '', to: [], cc: [], subject: '', byteSize: source.byteLength });
  const raw = Buffer.from(await (await get(`${newest.url}/source`)).arrayBuffer());
  expect(createHash('sha256').update(raw).digest('hex')).toBe(
    createHash('sha256').update(source).digest('hex'),
  );
  expect((await get(newest.url)).status).toBe(200);
});

test('the list goes on by pages of 50, and a program reads the same as JSON', async () => {
  await gateway.database.database.desk.delete(inboxMails);
  for (let n = 1; n <= 52; n += 1)
    await addInboxMail(gateway.database.database.desk, {
      mailFrom: 'company@domain.com',
      rcptTo: ['jane.doe@domain.com'],
      source: Buffer.from(`Subject: mail ${n}\r\n\r\nx\r\n`),
    });
  const first = await json('/inbox/');
  const second = await json(first.next);
  const subjects = [...first.mails, ...second.mails].map((mail: { subject: string }) => mail.subject);
  expect(subjects).toEqual(Array.from({ length: 52 }, (_, index) => `mail ${52 - index}`));
  expect(second.next).toBeNull();
  // A mail that is not among the newest is the first of the list beside it.
  const page = await (await get(second.mails.at(-1).url)).text();
  expect(page).toContain('Newest mails');
  expect(page).toMatch(/aria-current="page"/);
});

describe('in a browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  test('an operator signs in, sees mail arrive and opens its parts; no script or fetch runs', async () => {
    await gateway.database.database.desk.delete(inboxMails);
    await deliver({ subject: 'the first', text: 'first text' });
    const context = await browser.newContext({
      httpCredentials: { username: 'operator', password: 'operator' },
    });
    const page = await context.newPage();
    const problems: string[] = [];
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!/^data:/.test(request.url()) && !request.url().startsWith(`${gateway.url}/inbox`))
        problems.push(request.url());
    });
    await page.goto(`${gateway.url}/inbox`);
    await page.getByText('the first').waitFor();
    await deliver({
      subject: 'the second',
      text: 'plain words',
      html:
        `<p>rich words</p><script>parent.document.title='owned'</script><img ` +
        `src="${gateway.url}/track.gif"><style>p{background:url(${gateway.url}/x.gif)}</style>`,
      attachments: [{ filename: 'report.csv', content: 'a,b\n' }],
    });
    // It appears without a reload, and is announced.
    await page.getByText('the second').waitFor();
    expect(await page.locator('#news').textContent()).toBe('1 new mail');

    await page.getByText('the second').click();
    await page.frameLocator('iframe').getByText('rich words').waitFor();
    await page.getByText('Text', { exact: true }).click();
    await page.locator('#panel-text').getByText('plain words').waitFor();
    await page.getByText('Headers', { exact: true }).click();
    await page.locator('#panel-headers').getByText('Message-ID').waitFor();
    await page.getByText('Source', { exact: true }).click();
    await page.locator('#panel-source').getByText('MIME-Version: 1.0').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByText('report.csv').first().click(),
    ]);
    expect(download.suggestedFilename()).toBe('report.csv');
    expect(await page.title()).toBe('the second · Ticketwire');

    await page.keyboard.press('j');
    await page.getByRole('heading', { name: 'the first' }).waitFor();
    expect(problems).toEqual([]);
    await context.close();
  });

  test.runIf(soaking)(
    'a name or subject that turns the direction of text turns nothing beside it',
    async () => {
      // An override that is never ended, and one that first ends what the page may have put around it.
      for (const [n, turning] of ['\u202e', '\u2069\u202c\u202e'].entries()) {
        const named = (name: string) => ({ name: `${name} ${turning}name`, address: `${name}@domain.com` });
        const id = await deliver({
          subject: `subject ${n} ${turning}turned`,
          from: named('sender'),
          to: [named('first'), named('second')],
          cc: [named('copy')],
          text: `text ${turning}turned`,
          attachments: [{ filename: `report ${turning}name.csv`, content: 'a,b\n' }],
        });
        const context = await browser.newContext({
          httpCredentials: { username: 'operator', password: 'operator' },
        });
        const page = await context.newPage();
        await page.goto(`${gateway.url}/inbox/${id}`);
        await page.locator('.person').first().waitFor();
        expect(await reorderedTexts(page), JSON.stringify(turning)).toEqual([]);
        expect(await page.title()).toBe(`subject ${n} turned · Ticketwire`);
        await context.close();
      }
    },
  );

  test.runIf(soaking)(
    'a mail that could not be deleted says why, and the button can be pressed again',
    async () => {
      const id = await deliver({ subject: 'to be deleted', text: 'x' });
      const { token } = await createToken(gateway.database.database.desk, {
        ...{ userId: 1, name: 'reader', scopes: ['read'] },
      });
      const context = await browser.newContext({ extraHTTPHeaders: { authorization: `Bearer ${token}` } });
      const page = await context.newPage();
      await page.goto(`${gateway.url}/inbox/${id}`);
      const button = page.locator(`button[data-delete="/inbox/${id}"]`);
      const remove = async () => {
        await button.click();
        await button.click();
      };
      await remove();
      await page.getByText(/^Not deleted: .*write/).waitFor();
      await context.setOffline(true);
      await remove();
      await page.getByText('Not deleted: the gateway does not answer').waitFor();
      await context.setOffline(false);
      await context.setExtraHTTPHeaders({ authorization: asOperator });
      await remove();
      await page.waitForURL('**/inbox/');
      expect((await json('/inbox/')).mails).toEqual([]);
      await context.close();
    },
  );

  test.runIf(soaking)('on a phone the list and the mail take turns', async () => {
    const id = await deliver({ subject: 'for the pocket', text: 'x' });
    const context = await browser.newContext({
      viewport: { width: 390, height: 844 },
      httpCredentials: { username: 'operator', password: 'operator' },
    });
    const page = await context.newPage();
    await page.goto(`${gateway.url}/inbox/`);
    await page.locator(`a[href="/inbox/${id}"]`).click();
    await page.getByRole('heading', { name: 'for the pocket' }).waitFor();
    expect(await page.locator('#mails').isVisible()).toBe(false);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.getByRole('link', { name: /All mails/ }).click();
    await page.locator('#mails').waitFor();
    await context.close();
  });
});
