import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { asOperator, asRequester, type Gateway, startGateway } from '../../support/gateway.ts';
import { startSmtpSink } from '../../support/servers/smtp-sink.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { ask, upload } from '../../tickets/calls.ts';
import { bodyOf, type ParsedMail, parseMail } from '../world/parse.ts';

/*
 * What a recipient gets, read from the source of the mail that arrived by a parser that shares no code with
 * the composer.
 */

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
// What a failed test leaves behind must not fail all that follow.
afterEach(() => gateway.sink.setFaults([]));
afterAll(() => gateway[Symbol.asyncDispose]());

interface Attachment {
  id: string;
  fileName: string;
  contentId: string | null;
  isInline: boolean;
}
interface Added {
  code?: string;
  problems?: { path: string[]; message: string }[];
  ticketMessage: { id: string; attachments: Attachment[] };
  delivery: { id: string; rfcMessageId: string } | null;
}
const fields = `
  ... on AddTicketMessagePayload {
    ticketMessage { id attachments { id fileName contentId isInline } } delivery { id rfcMessageId }
  }
  ... on UserError { code }
  ... on InvalidInputError { problems { path message } }`;
const mutation = `mutation ($input: AddTicketMessageInput!) {
    addTicketMessage(input: $input) { ${fields} } }`;

interface Sent {
  body: string;
  html?: boolean;
  email?: object | null;
  files?: { name: string; type?: string; content?: string; contentId?: string }[];
  by?: string;
  input?: object;
}
const from = 'company@domain.com';

/** A ticket of the demo's requester without a message. */
async function newTicket(subject = 'Printer on fire'): Promise<number> {
  const [row] = await gateway.sql`
    insert into tickets (reference, subject, requester_id) select 'T-' || count(*), ${subject}, 2
    from tickets returning id`;
  return row!.id;
}

/** Adds a message with files, each by a `file` of the request or, with a Content-ID, by an `inline` one. */
async function add(ticketId: number, { body, html = false, email = null, files = [], by, input = {} }: Sent) {
  const form = new FormData();
  const attachments = files.map(({ contentId }) =>
    contentId === undefined ? { file: null } : { inline: { contentId, file: null } },
  );
  const whole = {
    ticket: { ticketId },
    body,
    format: html ? 'HTML' : 'TEXT',
    attachments,
    ...(email === null ? {} : { email: { from, ...email } }),
    ...input,
  };
  form.set('operations', JSON.stringify({ query: mutation, variables: { input: whole } }));
  const places = files.map(({ contentId }, n) => [
    n,
    [`variables.input.attachments.${n}.${contentId === undefined ? 'file' : 'inline.file'}`],
  ]);
  form.set('map', JSON.stringify(Object.fromEntries(places)));
  for (const [n, { name, type = 'image/png', content = name }] of files.entries())
    form.set(String(n), new File([content], name, { type }));
  const response = await fetch(`${gateway.url}/graphql`, {
    method: 'POST',
    headers: { 'graphql-preflight': '1', authorization: by ?? `Basic ${btoa('operator:operator')}` },
    body: form,
  });
  const answer = (await response.json()) as { data: { addTicketMessage: Added }; errors?: unknown };
  expect(answer.errors).toBeUndefined();
  return answer.data.addTicketMessage;
}

const sourceOf = (id: string): Buffer | undefined =>
  gateway.sink.mails.findLast(({ source }) =>
    source.subarray(0, source.indexOf('\r\n\r\n') + 2).includes(`\r\nMessage-ID: ${id}\r\n`),
  )?.source;

async function arrived({ delivery }: Added): Promise<ParsedMail> {
  await expect.poll(() => sourceOf(delivery!.rfcMessageId)).toBeDefined();
  const mail = await parseMail(sourceOf(delivery!.rfcMessageId)!);
  expect(mail).toMatchObject({ defects: [], bareBreaks: 0 });
  expect(mail.longestLine).toBeLessThanOrEqual(998);
  return mail;
}
const send = async (ticketId: number, sent: Sent): Promise<ParsedMail> =>
  arrived(await add(ticketId, { email: {}, ...sent }));
const textOf = (mail: ParsedMail) => bodyOf(mail.parts.find(({ type }) => type === 'text/plain')!).toString();
const htmlOf = (mail: ParsedMail) => bodyOf(mail.parts.find(({ type }) => type === 'text/html')!).toString();
const headerOf = (mail: ParsedMail, name: string) =>
  mail.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
/** What the HTML shows, picture by picture: the bytes of the part, or the source that no part answers. */
function shownIn(mail: ParsedMail): string[] {
  return [...htmlOf(mail).matchAll(/<img[^>]*src="([^"]*)"/g)].map(([, source]) => {
    const part = mail.parts.find(({ cid }) => cid !== null && source === `cid:${cid.slice(1, -1)}`);
    if (part === undefined) return source!;
    expect(part.disposition).toBe('inline');
    return bodyOf(part).toString();
  });
}
const filesOf = (mail: ParsedMail) =>
  mail.parts.filter(({ disposition }) => disposition === 'attachment').map(({ name }) => name);

describe('a quotation', () => {
  const ends = [
    ['CRLF', '\r\n'],
    ['LF', '\n'],
    ['NEL', '\u0085'],
    ['CR', '\r'],
    ['the line separator', '\u2028'],
    ['the vertical tab', '\v'],
  ] as const;
  test.each(sampled(ends, 2))('of lines that end in %s has `> ` before each of them', async (_name, end) => {
    const id = await newTicket();
    await add(id, { body: ['Hello desk,', '', 'my PC is dead.', 'Jane'].join(end), by: asRequester });
    const text = textOf(await send(id, { body: 'We are on our way', email: { quote: 'LAST' } }));
    expect(text.split('\r\n').slice(-4)).toEqual(['> Hello desk,', '> ', '> my PC is dead.', '> Jane']);
    expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n|[\v\u0085\u2028]/);
  });

  test('of all messages contains every one, and names what it left out for length', async () => {
    const id = await newTicket();
    const count = soaking ? 60 : 22;
    for (let n = 1; n <= count; n += 1) await add(id, { body: `message number ${n}.`, by: asRequester });
    const text = textOf(await send(id, { body: 'All of it', email: { quote: 'ALL' } }));
    const numbers = [...text.matchAll(/> message number (\d+)\./g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: count }, (_, n) => count - n));
    expect(text).not.toContain('left out');

    await add(id, { body: 'x'.repeat(523_000), by: asRequester });
    const mail = await send(id, { body: 'Once more', email: { quote: 'ALL' } });
    const told = /\((\d+) older messages? left out\)/;
    const quoted = [...textOf(mail).matchAll(/^On .* wrote:/gm)].length;
    expect(quoted + Number(told.exec(textOf(mail))![1])).toBe(count + 2);
    expect(told.exec(htmlOf(mail))![0]).toBe(told.exec(textOf(mail))![0]);
  });

  test('is the same to the byte in the preview and in the mail', async () => {
    const id = await newTicket();
    await add(id, {
      body: '<p>See <img src="cid:shot.png" alt="my screen"> and <img src="cid:other.png" alt="no such"></p>',
      html: true,
      files: [{ name: 'shot.png' }],
      by: asRequester,
    });
    const input = { ticket: { ticketId: id }, body: 'Seen\r\n', email: { from, quote: 'ALL' } };
    const preview = await ask<{ text: string; html: string; byteSize: number; previewHash: string }>(
      gateway,
      `query ($input: AddTicketMessageInput!) {
        previewTicketMessage(input: $input) { ... on TicketMessagePreview { text html byteSize previewHash } }
      }`,
      { input },
    );
    const added = await add(id, {
      body: input.body,
      email: { quote: 'ALL' },
      input: { expectPreviewHash: preview.previewHash },
    });
    const mail = await arrived(added);
    expect(sourceOf(added.delivery!.rfcMessageId)!.length).toBe(preview.byteSize);
    expect(textOf(mail)).toBe(preview.text.replaceAll('\n', '\r\n'));
    const plain = (html: string) => html.replaceAll('\r\n', '\n').replace(/cid:[^"]*/g, 'cid:');
    expect(plain(htmlOf(mail))).toBe(plain(preview.html));
  });

  test('shows the pictures of its own message, not the reply’s, and `alt` for missing ones', async () => {
    const id = await newTicket();
    await add(id, {
      body:
        '<p>Mine: <img src="cid:image.png" alt="mine"> <img src="cid:gone.png" alt="the ' +
        '&lt;lost&gt; one"></p>',
      html: true,
      files: [{ name: 'image.png', content: 'the requester’s' }],
      by: asRequester,
    });
    const bare = await send(id, { body: 'No file of ours', email: { quote: 'LAST' } });
    expect(shownIn(bare)).toEqual(['the requester’s']);
    expect(filesOf(bare)).toEqual([]);
    expect(htmlOf(bare)).toContain('the &lt;lost&gt; one');

    await add(id, {
      body: '<img src="cid:image.png" alt="second">',
      html: true,
      files: [{ name: 'image.png', content: 'another' }],
      by: asRequester,
    });
    const both = await send(id, {
      body: '<p>Ours: <img src="cid:image.png"></p>',
      html: true,
      files: [{ name: 'image.png', content: 'the operator’s' }, { name: 'gone.png' }],
      email: { quote: 'ALL' },
    });
    expect(shownIn(both)).toEqual(['the operator’s', 'another', 'the requester’s']);
    expect(filesOf(both)).toEqual(['gone.png']);
    expect(new Set(both.parts.flatMap(({ cid }) => cid ?? [])).size).toBe(3);
  });

  test('makes no file of the reply a part of the text, whatever the quoted HTML names', async () => {
    const id = await newTicket();
    await add(id, {
      body: 'x <img src="cid:invoice.pdf"> <img src="cid:photo.png">',
      html: true,
      by: asRequester,
    });
    const mail = await send(id, {
      body: 'Here it is',
      files: [{ name: 'invoice.pdf', type: 'application/pdf' }, { name: 'photo.png' }],
      email: { quote: 'LAST' },
    });
    expect(filesOf(mail)).toEqual(['invoice.pdf', 'photo.png']);
    expect(mail.tree).not.toContain('multipart/related');
  });

  test('brings no picture from elsewhere', async () => {
    const id = await newTicket();
    await add(id, {
      body: 'x <img src="https://track.example/o.gif?t=1" alt="logo">',
      html: true,
      by: asRequester,
    });
    const mail = await send(id, { body: 'Hi', email: { quote: 'LAST' } });
    expect(htmlOf(mail)).not.toContain('track.example');
  });

  test('shows no picture that is redacted before the mail is sent, or may be infected', async () => {
    const id = await newTicket();
    const names = ['gone.png', 'bad.png', 'late.png', 'good.png'];
    const shown = await add(id, {
      body: names.map((name) => `<img src="cid:${name}" alt="(${name})">`).join(' '),
      html: true,
      files: names.map((name) => ({ name })),
      by: asRequester,
    });
    gateway.sink.setFaults([{ at: 'MAIL', reply: '451 4.3.0 later' }]);
    const reply = await add(id, { body: 'Seen', email: { quote: 'LAST' } });
    const kept = () => gateway.sql`
      select from delivery_sources s join deliveries d on d.id = s.delivery_id
      where d.rfc_message_id = ${reply.delivery!.rfcMessageId}`;
    // An attempt that still runs could not be retried, and would reach the server without the fault.
    const deferred = () => gateway.sql`
      select from deliveries where rfc_message_id = ${reply.delivery!.rfcMessageId} and state = 'DEFERRED'`;
    await expect.poll(async () => (await deferred()).length).toBe(1);
    expect(await kept()).toHaveLength(1);
    await ask(
      gateway,
      'mutation ($input: RedactAttachmentInput!) { redactAttachment(input: $input) { __typename } }',
      {
        input: { attachment: shown.ticketMessage.attachments[0]!.id },
      },
    );
    expect(await kept()).toHaveLength(0);
    await gateway.sql`update attachments set scan = 'INFECTED', scan_found = 'x' where file_name = 'bad.png'`;
    await gateway.sql`update attachments set scan = 'PENDING', scan_due_at = now()
      where file_name = 'late.png'`;
    gateway.sink.setFaults([]);
    await ask(gateway, 'mutation ($input: DeliveryInput!) { retryDelivery(input: $input) { __typename } }', {
      input: { delivery: reply.delivery!.id },
    });
    const mail = await arrived(reply);
    expect(shownIn(mail)).toEqual(['good.png']);
    for (const name of names.slice(0, 3)) expect(htmlOf(mail)).toContain(`(${name})`);
  });

  test('leaves pictures out once they are too large together', async () => {
    const id = await newTicket();
    for (const [n, letter] of ['a', 'b'].entries())
      await add(id, {
        body: `<img src="cid:${n}.png" alt="picture ${n}">`,
        html: true,
        files: [{ name: `${n}.png`, content: letter.repeat(1_100_000) }],
        by: asRequester,
      });
    const mail = await send(id, { body: 'Both', email: { quote: 'ALL' } });
    expect(shownIn(mail).map((bytes) => bytes[0])).toEqual(['b']);
    expect(htmlOf(mail)).toContain('picture 0');
  });
});

describe('a picture of the message itself', () => {
  const decomposed = 'gru\u0308n.png';
  const references: [what: string, name: string, reference: string, type?: string][] = [
    ['its name', 'photo.png', 'photo.png'],
    ['blanks percent-encoded', 'my photo.png', 'my%20photo.png'],
    ['blanks as they are', 'my photo.png', 'my photo.png'],
    ['UTF-8 percent-encoded', 'grün.png', 'gr%C3%BCn.png'],
    ['Latin-1 percent-encoded', 'grün.png', 'gr%FCn.png'],
    ['letters that macOS took apart', decomposed, decomposed],
    ['letters put together, of a name taken apart', decomposed, 'grün.png'],
    ['a colon', 'Shot 10:30.png', 'Shot 10:30.png'],
    ['a leading dot', '.hidden.png', '.hidden.png'],
    ['a per cent sign that encodes nothing', '100% sure.png', '100% sure.png'],
    ['an encoded per cent sign', '50%.png', '50%25.png'],
    ['other case', 'IMG_1.PNG', 'img_1.png'],
    ['an ampersand', 'a&b.png', 'a&amp;b.png'],
    ['quotes', "it's.png", 'it&#39;s.png'],
    ['a joiner', 'می\u200cخواهم.png', 'می\u200cخواهم.png'],
    ['more than 200 bytes', `${'ž'.repeat(150)}.png`, `${'ž'.repeat(150)}.png`],
    ['Outlook’s own ids', 'image001.png', 'image001.png@01DABCDE.12345678'],
    ['an @ in its name', 'me@work.png', 'me@work.png'],
    ['no type', 'photo.png', 'photo.png', 'application/octet-stream'],
  ];
  test.each(sampled(references, 4))('is found by %s', async (_name, name, reference, type = 'image/png') => {
    const id = await newTicket();
    const added = await add(id, {
      body: `<p>See <img src="cid:${reference}"></p>`,
      html: true,
      files: [
        { name, type, content: 'picture' },
        { name: 'b.pdf', type: 'application/pdf' },
      ],
      email: {},
    });
    expect(added.ticketMessage.attachments.map(({ isInline }) => isInline)).toEqual([true, false]);
    const mail = await arrived(added);
    expect(shownIn(mail)).toEqual(['picture']);
    expect(filesOf(mail)).toEqual(['b.pdf']);
  });

  const attributes = [
    'SRC=cid:photo.png',
    'src="CID:photo.png"',
    "src='  cid:photo.png '",
    'alt="a > b" src="cid:photo.png" title="<c>"',
  ];
  test.each(sampled(attributes, 3))('is found in <img %s>', async (attributes) => {
    const mail = await send(await newTicket(), {
      body: `<p>See <img ${attributes}></p>`,
      html: true,
      files: [{ name: 'photo.png', content: 'picture' }],
    });
    expect(shownIn(mail)).toEqual(['picture']);
  });

  test('may be an earlier upload with a Content-ID', async () => {
    const file = new File(['uploaded'], 'x.png', { type: 'image/png' });
    const { upload: id } = await upload(gateway, file, asOperator);
    const attachments = [{ inline: { contentId: 'up', upload: id } }];
    const mail = await send(await newTicket(), {
      body: '<img src="cid:up">',
      html: true,
      input: { attachments },
    });
    expect(shownIn(mail)).toEqual(['uploaded']);
    const gone = [{ inline: { contentId: 'up', upload: 'VXBsb2FkOng=' } }];
    expect(await add(47, { body: 'x', input: { attachments: gone } })).toMatchObject({
      problems: [{ path: ['attachments', '0', 'inline', 'upload'] }],
    });
  });

  test('is the nth of those with its name, and the last one from then on', async () => {
    const files = ['one', 'two', 'three'].map((content) => ({ name: 'image.png', content }));
    const body = '<img src="cid:image.png">'.repeat(2);
    const two = await send(await newTicket(), { body: `${body} x`, html: true, files });
    expect(shownIn(two)).toEqual(['one', 'two']);
    expect(filesOf(two)).toEqual(['image.png']);
    const four = await send(await newTicket(), { body: body.repeat(2), html: true, files });
    expect(shownIn(four)).toEqual(['one', 'two', 'three', 'three']);
  });

  test('is the one whose Content-ID the HTML names, whatever its name', async () => {
    const files = [
      { name: 'image.png', content: 'plain' },
      { name: 'image.png', content: 'second', contentId: 'b@shots' },
      { name: 'image.png', content: 'third', contentId: 'c' },
    ];
    const body = '<img src="cid:c"><img src="cid:b%40shots"><img src="cid:image.png"><img src="cid:c">';
    const added = await add(await newTicket(), { body, html: true, files, email: {} });
    expect(added.ticketMessage.attachments).toMatchObject([
      { fileName: 'image.png', contentId: null, isInline: true },
      { fileName: 'image.png', contentId: 'b@shots', isInline: true },
      { fileName: 'image.png', contentId: 'c', isInline: true },
    ]);
    expect(shownIn(await arrived(added))).toEqual(['third', 'second', 'plain', 'third']);
  });

  test.each([
    [{ contentId: 'a b' }, 'contentId'],
    [{ contentId: '<a>' }, 'contentId'],
    [{ contentId: '' }, 'contentId'],
    [{ contentId: 'x'.repeat(201) }, 'contentId'],
  ])('with a Content-ID like %j is refused with its path', async ({ contentId }, field) => {
    const refused = await add(47, { body: 'x', files: [{ name: 'a.png', contentId }] });
    expect(refused).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['attachments', '0', 'inline', field] }],
    });
  });

  test('with a Content-ID twice, or without file and upload, is refused', async () => {
    const twice = [
      { name: 'a.png', contentId: 'x' },
      { name: 'b.png', contentId: 'x' },
    ];
    expect(await add(47, { body: 'x', files: twice })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['attachments', '1', 'inline', 'contentId'] }],
    });
    const attachments = [{ inline: { contentId: 'x' } }];
    expect(await add(47, { body: 'x', input: { attachments } })).toMatchObject({
      code: 'INVALID_INPUT',
      problems: [{ path: ['attachments', '0', 'inline'] }],
    });
  });

  test('is an attachment where the HTML does not name it, or is none', async () => {
    const mail = await send(await newTicket(), {
      body: 'Plain text: cid:a.png',
      files: [{ name: 'a.png' }, { name: 'b.png', contentId: 'b' }],
    });
    expect(filesOf(mail)).toEqual(['a.png', 'b.png']);
    const html = await send(await newTicket(), {
      body: 'See <img src="cid:report.pdf"> and cid:a.png',
      html: true,
      files: [{ name: 'report.pdf', type: 'application/pdf' }, { name: 'a.png' }],
    });
    expect(filesOf(html)).toEqual(['report.pdf', 'a.png']);
  });
});

describe('what a mail answers', () => {
  test('is a mail that was sent: not one that was held and cancelled, nor one that failed', async () => {
    const id = await newTicket();
    await gateway.sql`update tickets set original_message_id = '<opening@customer.example>' where id = ${id}`;
    const held = await add(id, { body: 'Too early', email: { holdSeconds: 3600 } });
    await ask(gateway, 'mutation ($input: DeliveryInput!) { cancelDelivery(input: $input) { __typename } }', {
      input: { delivery: held.delivery!.id },
    });
    const first = await send(id, { body: 'First' });
    expect(headerOf(first, 'In-Reply-To')).toBe('<opening@customer.example>');
    await settled(await add(id, { body: 'Second', email: {} }));

    gateway.sink.setFaults([{ at: 'DOT', reply: '554 5.7.1 no' }]);
    await settled(await add(id, { body: 'Refused', email: {} }));
    gateway.sink.setFaults([]);
    const third = await send(id, { body: 'Third' });
    const ids = [first, third].map((mail) => headerOf(mail, 'Message-ID'));
    const references = headerOf(third, 'References')!.split(/\s+/);
    expect(references.slice(0, 2)).toEqual(['<opening@customer.example>', ids[0]]);
    expect(references).toHaveLength(3);
    expect(headerOf(third, 'In-Reply-To')).toBe(references[2]);
    expect(references).not.toContain(held.delivery!.rfcMessageId);
  });

  test('is named however long its Message-ID is', async () => {
    const id = await newTicket();
    const long = `<${'x'.repeat(880)}@customer.example>`;
    await gateway.sql`update tickets set original_message_id = ${long} where id = ${id}`;
    const first = await send(id, { body: 'First' });
    expect(headerOf(first, 'In-Reply-To')).toBe(long);
    const second = await send(id, { body: 'Second' });
    expect(headerOf(second, 'References')!.split(/\s+/)).toEqual([long, headerOf(first, 'Message-ID')]);
  });

  test('can be named: the Message-ID of a mailbox with letters beyond ASCII is ASCII', async () => {
    const address = 'hilfe@bücher.example';
    await gateway.sql`update mailboxes set address = ${address} where id = 2`;
    const id = await newTicket();
    const first = await send(id, { body: 'First', email: { from: address } });
    expect(headerOf(first, 'Message-ID')).toMatch(/^<[0-9a-f-]{36}@xn--bcher-kva\.example>$/);
    expect(sourceOf(headerOf(first, 'Message-ID')!)!.toString('latin1')).not.toMatch(/[\x80-\xff]/);
    const second = await send(id, { body: 'Second', email: { from: address } });
    expect(headerOf(second, 'In-Reply-To')).toBe(headerOf(first, 'Message-ID'));
  });

  test('can be named: the Message-ID of a mailbox with an @ in quotes has its domain alone', async () => {
    const address = '"the@desk"@domain.com';
    await gateway.sql`update mailboxes set address = ${address} where id = 2`;
    const { delivery } = await add(await newTicket(), { body: 'x', email: { from: address } });
    expect(delivery!.rfcMessageId).toMatch(/^<[0-9a-f-]{36}@domain\.com>$/);
  });

  test('has Auto-Submitted only when the author asks for it, and never a list header', async () => {
    const id = await newTicket();
    const byMachine = await send(id, { body: 'Your ticket is open', email: { autoSubmitted: true } });
    expect(headerOf(byMachine, 'Auto-Submitted')).toBe('auto-generated');
    const again = await send(id, { body: 'Still open', email: { autoSubmitted: true } });
    expect(headerOf(again, 'Auto-Submitted')).toBe('auto-replied');
    const byPerson = await send(id, { body: 'I am here' });
    expect(byPerson.headers.map(([name]) => name).join()).not.toMatch(/Auto-|X-Auto|List-|Precedence/i);
  });
});

async function settled({ delivery }: Added): Promise<string> {
  const read = async () =>
    (await gateway.sql`select state from deliveries where rfc_message_id = ${delivery!.rfcMessageId}`)[0]!
      .state as string;
  await expect.poll(read).toMatch(/SENT|FAILED|UNKNOWN/);
  return read();
}

const blanks = [`${'word '.repeat(30)}${' '.repeat(90)}end`, `a${' '.repeat(200)}b`, ' '.repeat(300)];
test.each(sampled(blanks, 3))('a subject with runs of blanks has no line of blanks: %j', async (subject) => {
  const id = await newTicket(subject);
  const added = await add(id, { body: 'x', email: {} });
  const mail = await arrived(added);
  const head = sourceOf(added.delivery!.rfcMessageId)!.toString('latin1').split('\r\n\r\n')[0]!;
  expect(head.split('\r\n').filter((line) => /^[ \t]*$/.test(line) || /[ \t]$/.test(line))).toEqual([]);
  expect(headerOf(mail, 'Subject')).toContain(subject.trimEnd());
});

describe('addresses with letters beyond ASCII', () => {
  const bcc = ['jörg@example.com', 'plain@example.com'];
  interface Recipient {
    address: string;
    state: string;
    enhancedCode: string | null;
    suggestedAction: string | null;
  }

  test('a blind one is refused by itself where the server does not take it', async () => {
    await using old = await startSmtpSink({
      faults: [{ at: 'EHLO', reply: '500 5.5.1 only HELO here', times: 99 }],
    });
    await gateway.sql`update mailboxes set smtp_url = ${old.url} where id = 1`;
    const added = await add(await newTicket(), { body: 'x', email: { bcc } });
    expect(await settled(added)).toBe('PARTIALLY_FAILED');
    await gateway.sql`update mailboxes set smtp_url = null where id = 1`;
    expect(old.mails.map(({ to }) => [...to])).toEqual([['requester@domain.com', 'plain@example.com']]);
    const { recipients } = await ask<{ recipients: Recipient[] }>(
      gateway,
      'query ($id: ID!) { node(id: $id) { ... on Delivery { recipients { address state enhancedCode ' +
        'suggestedAction } } } }',
      { id: added.delivery!.id },
    );
    expect(recipients.find(({ state }) => state === 'FAILED')).toEqual({
      address: 'jörg@example.com',
      state: 'FAILED',
      enhancedCode: '5.6.7',
      suggestedAction: 'CHECK_ADDRESS',
    });
  });

  test('are sent to a server that takes them', async () => {
    const added = await add(await newTicket(), { body: 'x', email: { bcc, cc: ['žofie@žluťoučký.cz'] } });
    expect(await settled(added)).toBe('SENT');
    const { to } = gateway.sink.mails.at(-1)!;
    expect([...to]).toEqual(['requester@domain.com', 'žofie@žluťoučký.cz', ...bcc]);
  });
});
