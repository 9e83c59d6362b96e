import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { startGatewayProcess } from '../crash/support/gateway-process.ts';
import { launchBrowser } from '../support/browser.ts';

/*
 * Takes pictures of messages as written, as `bodyHtml`, and as their mails in the development inbox, side by
 * side: `npm run shots:mail`. Arguments choose them by words of their names, or name files.
 */

const letters = fileURLToPath(new URL('letters/', import.meta.url));
const folder = fileURLToPath(new URL('../../node_modules/.cache/shots/', import.meta.url));
const authorization = `Basic ${btoa('operator:operator')}`;
const narrow = { width: 640, height: 700 };

/** A picture of one colour. */
function png(red: number, green: number, blue: number): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const rows = Buffer.concat(
    Array.from({ length: 40 }, () => Buffer.from([0, ...Array(60).fill([red, green, blue]).flat()])),
  );
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', Buffer.from([0, 0, 0, 60, 0, 0, 0, 40, 8, 2, 0, 0, 0])),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
const red = png(200, 30, 30);

const reply = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  ... on UserError { code message }
  ... on AddTicketMessagePayload { warnings { code message } delivery { rfcMessageId } ticketMessage {
    bodyHtml bodyText attachments { fileName contentId contentType downloadUrl isInline } } } } }`;

interface Reply {
  addTicketMessage: {
    code?: string;
    message?: string;
    warnings: { code: string; message: string }[];
    delivery: { rfcMessageId: string };
    ticketMessage: {
      bodyHtml: string;
      bodyText: string;
      attachments: { fileName: string; contentId: string | null; contentType: string; downloadUrl: string }[];
    };
  };
}

async function send(
  url: string,
  body: string,
  pictures: readonly Buffer[],
): Promise<Reply['addTicketMessage']> {
  const input = {
    ...{ ticket: { reference: 'INC-000047' }, format: 'HTML', body },
    attachments: pictures.map(() => ({ file: null })),
    email: { from: 'company@domain.com', cc: ['copy@domain.com'] },
  };
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: reply, variables: { input } }));
  const places = pictures.map((_, index) => [index, [`variables.input.attachments.${index}.file`]]);
  form.set('map', JSON.stringify(Object.fromEntries(places)));
  for (const [index, picture] of pictures.entries())
    form.set(String(index), new File([new Uint8Array(picture)], 'red box.png', { type: 'image/png' }));
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers: { authorization }, body: form });
  const { data, errors } = (await answer.json()) as { data: Reply; errors?: unknown };
  if (errors !== undefined || data.addTicketMessage.code !== undefined)
    throw new Error(JSON.stringify(errors ?? data.addTicketMessage));
  return data.addTicketMessage;
}

/** As a page of a desk shows it: the message's own pictures by their names. */
async function withPictures(
  url: string,
  { bodyHtml, attachments }: Reply['addTicketMessage']['ticketMessage'],
) {
  let html = bodyHtml;
  for (const { fileName, contentId, contentType, downloadUrl } of attachments) {
    const answer = await fetch(new URL(downloadUrl, url), { headers: { authorization } });
    const data = `data:${contentType};base64,${Buffer.from(await answer.arrayBuffer()).toString('base64')}`;
    for (const name of [contentId ?? fileName, encodeURIComponent(fileName)])
      html = html.replaceAll(`"cid:${name}"`, `"${data}"`);
  }
  return `<!DOCTYPE html><meta charset=utf-8><body style="font:15px sans-serif">${html}</body>`;
}

async function mailUrl(url: string, id: string): Promise<string> {
  const read = async <T>(path: string) =>
    (await (await fetch(url + path, { headers: { authorization, accept: 'application/json' } })).json()) as T;
  for (;;) {
    const { mails } = await read<{ mails: { url: string }[] }>('/inbox/');
    for (const mail of mails)
      if ((await read<{ messageId: string }>(mail.url)).messageId === id) return url + mail.url;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function shoot(browser: Browser, place: { html: string } | { url: string }): Promise<string> {
  const context = await browser.newContext({
    viewport: 'url' in place ? { width: 900, height: 700 } : narrow,
    httpCredentials: { username: 'operator', password: 'operator' },
  });
  const page = await context.newPage();
  await page.route(/^https?:\/\/(?!127\.0\.0\.1|localhost)/, (route) => route.abort());
  if ('url' in place) await page.goto(place.url, { waitUntil: 'networkidle' });
  else await page.setContent(place.html, { waitUntil: 'load' });
  const picture = await page.screenshot({ fullPage: true });
  await context.close();
  return picture.toString('base64');
}

async function sideBySide(browser: Browser, pictures: readonly string[]): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 1900, height: 800 } });
  const images = pictures.map(
    (one) => `<img src="data:image/png;base64,${one}" style="max-width:32.5%;border:1px solid #999">`,
  );
  await page.setContent(
    `<body style="margin:4px;display:flex;gap:6px;align-items:flex-start">${images.join('')}`,
  );
  const picture = await page.screenshot({ fullPage: true });
  await page.close();
  return picture;
}

const words = process.argv.slice(2);
const known = (await readdir(letters)).map((name) => join(letters, name));
const chosen =
  words.length === 0
    ? known
    : words.flatMap((word) => (word.includes('/') ? [word] : known.filter((one) => one.includes(word))));
await mkdir(folder, { recursive: true });
await using parts = new AsyncDisposableStack();
const directory = await mkdtemp(join(tmpdir(), 'ticketwire-shots-'));
parts.defer(() => rm(directory, { recursive: true, force: true }));
const gateway = await startGatewayProcess({ DATA_DIR: directory });
parts.defer(() => gateway.stop().then(() => {}));
const { url } = gateway;
const browser = await launchBrowser();
parts.defer(() => browser.close());
for (const path of chosen) {
  const written = (await readFile(path, 'utf8')).replaceAll('PNG_HERE', png(30, 60, 200).toString('base64'));
  const files = written.includes('cid:') ? [red] : [];
  const sent = await send(url, written, files);
  const target = join(
    folder,
    `${path
      .split('/')
      .at(-1)!
      .replace(/\.html?$/, '')}.png`,
  );
  const triple = [
    await shoot(browser, { html: written }),
    await shoot(browser, { html: await withPictures(url, sent.ticketMessage) }),
    await shoot(browser, { url: await mailUrl(url, sent.delivery.rfcMessageId) }),
  ];
  await writeFile(target, await sideBySide(browser, triple));
  await writeFile(target.replace(/png$/, 'txt'), sent.ticketMessage.bodyText);
  process.stdout.write(
    `${target}\n${sent.warnings.map(({ code, message }) => `  ${code}: ${message}\n`).join('')}`,
  );
}
