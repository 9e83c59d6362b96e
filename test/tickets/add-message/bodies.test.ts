import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refused } from '../../content/adversaries.ts';
import { bodyOf, parseMail } from '../../mail/world/parse.ts';
import { eventually } from '../../support/eventually.ts';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { ask } from '../calls.ts';

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway({ env: { MAX_ATTACHMENT_BYTES: '250000' } });
});
afterAll(() => gateway[Symbol.asyncDispose]());

interface Said {
  __typename: string;
  code?: string;
  path?: string[];
  problems?: { path: string[]; message: string }[];
  replayed?: boolean;
  warnings: { code: string; message: string }[];
  ticketMessage: {
    messageId: number;
    body: string;
    bodyHtml: string;
    shown: string;
    bodyText: string;
    changes: { code: string; message: string }[];
    attachments: { fileName: string; contentType: string; isInline: boolean; byteSize: number }[];
  };
}

const say = (input: object, authorization = asOperator) =>
  ask<Said>(
    gateway,
    /* GraphQL */ `mutation ($input: AddTicketMessageInput!) {
      addTicketMessage(input: $input) {
        __typename
        ... on AddTicketMessagePayload {
          replayed warnings { code message }
          ticketMessage {
            messageId body bodyHtml shown: bodyHtml(remoteImages: true) bodyText changes { code message }
            attachments { fileName contentType isInline byteSize }
          }
        }
        ... on UserError { code path }
        ... on InvalidInputError { problems { path message } }
      }
    }`,
    { input: { ticket: { ticketId: 47 }, format: 'HTML', ...input } },
    { authorization },
  );
const email = { from: 'company@domain.com' };
/** Mails of earlier tests have written their last event. */
const allSettled = () =>
  eventually(async () => {
    const [row] = await gateway.sql`
      select count(*)::int as count from deliveries where state in ('QUEUED', 'TRANSMITTING')`;
    return row!.count === 0;
  });

let mails = 0;
/** The next mail that is sent, as Python reads it. */
async function mailed() {
  mails += 1;
  const mail = (await gateway.sink.received(mails))[mails - 1];
  const parsed = await parseMail(mail!.source);
  const part = (type: string) => bodyOf(parsed.parts.find((one) => one.type === type)!).toString();
  return { parsed, text: part('text/plain'), html: part('text/html') };
}

/** A picture of its type by its first bytes, and of as many more. */
const png = (bytes: number, fill = 1) =>
  Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(bytes, fill)]);
const pasted = (picture: Buffer) => `data:image/png;base64,${picture.toString('base64')}`;

describe('a body is read once, and shown alike everywhere', () => {
  test('as HTML, as text and as a mail, with what was left out told each time', async () => {
    const body =
      '<html><head><title>t</title><p>10<sup>6</sup> <div ' +
      'style="display:none">NOTE</div><section>one</section><section>two</section><img ' +
      'src="https://x.example/a.png" alt="Logo"><a href="file:///c:/x">plan</a>';
    const { ticketMessage, warnings } = await say({ body, email });
    expect(ticketMessage.body).toBe(body);
    expect(ticketMessage.bodyHtml).toContain(
      '<div>one</div><div>two</div><img data-src="https://x.example/a.png"',
    );
    expect(ticketMessage.shown).toContain('<img src="https://x.example/a.png"');
    expect(ticketMessage.bodyText).toBe('10^6\n\none\ntwo\nplan <file:///c:/x>');
    expect(ticketMessage.changes.map(({ code }) => code)).toEqual(['HIDDEN_TEXT', 'REMOTE_PICTURE', 'LINK']);
    expect(warnings).toEqual(ticketMessage.changes);
    const { parsed, text, html } = await mailed();
    expect(parsed.defects).toEqual([]);
    expect(text.replaceAll('\r\n', '\n')).toContain('10^6\n\none\ntwo\nplan <file:///c:/x>');
    // What its author shows is shown; whom a later mail quotes, fetches nothing.
    expect(html).toContain('<img src="https://x.example/a.png"');
    expect(html).not.toContain('NOTE');
    await say({ body: '<p>Next</p>', email: { ...email, quote: 'LAST' } });
    const next = await mailed();
    expect(next.html).toContain('Logo');
    expect(next.html).not.toContain('x.example');
  });

  test.each([
    ['HTML', '<style>p{}</style><svg><text>x</text></svg>&#8203;'],
    ['HTML', '<div hidden>x</div>'],
    ['HTML', '<p><img src="cid:nowhere.png"></p>'],
    ['TEXT', '\u200b\u00ad\u3164'],
  ])('and refused when there is nothing to read: %s %s', async (format, body) => {
    await allSettled();
    const before = await gateway.counts();
    expect(await say({ format, body, email })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['body'], message: 'The message has no text' }],
    });
    expect(await gateway.counts()).toEqual(before);
  });

  test('and refused, not replaced, when it takes more work than its length pays for', async () => {
    const fonts = Array.from({ length: 5000 }, (_, n) => `<p><font size=${n}>x`).join('');
    expect(await say({ body: fonts })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['body'] }],
    });
  });

  test('text has the direction of its letters', async () => {
    const { ticketMessage } = await say({ format: 'TEXT', body: 'שלום' }, asRequester);
    expect(ticketMessage.bodyHtml).toBe('<div dir="auto" style="unicode-bidi:plaintext">שלום</div>');
  });
});

describe('pasted pictures become files of the message', () => {
  const [one, two, three] = [png(2000), png(200_000, 2), png(300, 3)];
  const body =
    `<p>One <img src="${pasted(one)}" alt="first"> two <img src='${pasted(two)}'> three <img ` +
    `src=${pasted(three)}> and again <img src="${pasted(one)}"></p>`;
  const files = [one, two, three].map((picture, n) => ({
    ...{
      fileName: `pasted-${n + 1}.png`,
      contentType: 'image/png',
      isInline: true,
      byteSize: picture.length,
    },
  }));

  test('each once, inline, in the mail too; the same call again is the same message', async () => {
    await allSettled();
    const before = await gateway.counts();
    const input = { body, email, idempotencyKey: 'pasted-1' };
    const { ticketMessage, warnings } = await say(input);
    expect(warnings).toEqual([]);
    expect(ticketMessage.attachments).toEqual(files);
    expect(ticketMessage.body).toBe(
      '<p>One <img src="cid:pasted-1.png" alt="first"> two <img src="cid:pasted-2.png"> three <img ' +
        'src="cid:pasted-3.png"> and again <img src="cid:pasted-1.png"></p>',
    );
    const { parsed } = await mailed();
    const images = parsed.parts.filter(({ type }) => type === 'image/png');
    expect(images.map((part) => [part.disposition, bodyOf(part)])).toEqual(
      [one, two, three].map((picture) => ['inline', picture]),
    );
    // The mail's own event comes when its worker has settled it.
    const rows = async () => ({ ...(await gateway.counts()), events: 0 });
    const after = await rows();
    expect(after).toMatchObject({
      messages: before.messages! + 1,
      attachments: before.attachments! + 3,
      deliveries: before.deliveries! + 1,
    });
    const again = await say(input);
    expect(again.replayed).toBe(true);
    expect(again.ticketMessage.messageId).toBe(ticketMessage.messageId);
    expect(await rows()).toEqual(after);
    expect(await say({ ...input, body: body.replace('again', 'once more') })).toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  test('by the old endpoint as well', async () => {
    const answer = await gateway.legacy({ TicketId: 47, Message: body, Html: true });
    expect(answer.status).toBe(200);
    const { TicketMessageId } = (await answer.json()) as { TicketMessageId: number };
    const rows = await gateway.sql`
      select file_name, is_inline, byte_size::int from attachments where message_id = ${TicketMessageId}
      order by position`;
    expect(rows.map((row) => [row.file_name, row.is_inline, row.byte_size])).toEqual(
      files.map(({ fileName, byteSize }) => [fileName, true, byteSize]),
    );
  });

  test('within the limits of attachments', async () => {
    const many = Array.from({ length: 21 }, (_, n) => `<img src="${pasted(png(10, n))}">`).join('');
    expect(await say({ body: many })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['body'], message: expect.stringContaining('21 attachments and pasted pictures') }],
    });
    await allSettled();
    const before = await gateway.counts();
    expect(await say({ body: `<p>One <img src="${pasted(png(250_000))}"></p>` })).toMatchObject({
      code: 'ATTACHMENT_TOO_LARGE',
      path: ['body'],
    });
    expect(await gateway.counts()).toEqual(before);
  });

  test('and what only says that it is a picture is left out, which is told', async () => {
    const html =
      '<p>x<img src="data:image/png;base64,AAAA"><img src="data:image/svg+xml;base64,PHN2Zz4="></p>';
    const { ticketMessage, warnings } = await say({ body: html });
    expect(ticketMessage).toMatchObject({ body: html, attachments: [] });
    expect(ticketMessage.bodyHtml).not.toContain('data:');
    expect(warnings.map(({ code }) => code)).toEqual(['PICTURE']);
  });
});

test('a preview shows and warns as the mail will be', async () => {
  const seen = await ask<{ html: string; text: string; warnings: { code: string }[] }>(
    gateway,
    'query ($input: AddTicketMessageInput!) { previewTicketMessage(input: $input) { ... on ' +
      'TicketMessagePreview { html text warnings { code } } } }',
    {
      input: {
        ticket: { ticketId: 47 },
        format: 'HTML',
        body: `<p>x<i hidden>y</i><img src="${pasted(png(500))}"></p>`,
        email,
      },
    },
  );
  expect(seen.warnings).toEqual([{ code: 'HIDDEN_TEXT' }]);
  expect(seen.html).toMatch(/<p>x<img src="cid:[^"]+@inline" \/><\/p>/);
});

test('a stored body that no new message may have does not take its page with it', async () => {
  const { ticketMessage } = await say({ body: '<p>To be rewritten</p>' });
  const body = refused['a long rule for everything']!(30_000);
  expect(await say({ body })).toMatchObject({ code: 'INVALID_INPUT', problems: [{ path: ['body'] }] });
  await gateway.sql`update messages set body = ${body} where id = ${ticketMessage.messageId}`;
  const page = await ask<{ messages: { nodes: { messageId: number; bodyText: string }[] } }>(
    gateway,
    '{ ticket(by: { ticketId: 47 }) { messages(last: 5) { nodes { messageId bodyText bodyHtml } } } }',
  );
  expect(page.messages.nodes.find(({ messageId }) => messageId === ticketMessage.messageId)).toMatchObject({
    bodyText: expect.stringContaining('cannot be shown'),
    bodyHtml: expect.stringContaining('cannot be shown'),
  });
});
