import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { composeMail } from '../../../src/mail/compose/compose-mail.ts';
import type { MailParts } from '../../../src/mail/compose/mail-parts.ts';
import { type PreviewParts, previewMail } from '../../../src/mail/compose/preview-mail.ts';
import { encodedSizeUpperBound, mailBytes } from '../../../src/mail/compose/stored-mail.ts';
import { sampled, soaking } from '../../support/soak.ts';
import { anyText } from '../world/any-text.ts';
import { memoryBlobs } from '../world/desk.ts';
import { bodyOf, parseMail, parseMails } from '../world/parse.ts';
import { mailPartsOf } from '../world/parts.ts';

const blobs = memoryBlobs();
function file(fileName: string, contentType: string, bytes: Buffer) {
  const sha256 = createHash('sha256').update(bytes).digest();
  return { fileName, contentType, byteSize: bytes.length, blobKey: blobs.put(bytes), sha256 };
}
async function sourceOf(parts: MailParts): Promise<Buffer> {
  const { source, byteSize } = await composeMail(parts);
  const pieces: Buffer[] = [];
  for await (const piece of mailBytes(source, blobs)) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  expect(bytes.length).toBe(byteSize);
  return bytes;
}
const composed = async (changes: Partial<MailParts>) => parseMail(await sourceOf(mailPartsOf(changes)));
/** What `mail_subject()` takes out of a ticket's subject. */
const oneLine = (text: string) =>
  text.replace(/[\p{Cc}\u2028\u2029]/gu, (one) => (one > '\u007f' && one < '\u00a0' ? one : ' '));
const sound = { defects: [], bareBreaks: 0 };

describe('golden', () => {
  test('a plain reply', async () => {
    const source = await sourceOf(
      mailPartsOf({
        body: 'Hello Jane,\n\nplease unplug it.',
        signature: 'Company\n+420 123',
        thread: ['<first@customer.example>', '<second@domain.com>'],
        bcc: [{ name: '', address: 'hidden@domain.com' }],
      }),
    );
    expect(source.toString('latin1')).toMatchSnapshot();
  });
  test('HTML with an inline image, a file, a quotation, and letters from elsewhere', async () => {
    const source = await sourceOf(
      mailPartsOf({
        to: [{ name: 'Žofie Šťastná', address: 'zofie@žluťoučký.cz' }],
        cc: [{ name: '山田, 太郎', address: 'taro@例え.jp' }],
        subject: 'Re: Žluťoučký kůň úpěl ďábelské ódy a tiskárna hoří [INC-000047]',
        body: '<p>Hello <b>Jane</b>, see <img src="cid:my photo.png"></p>',
        format: 'HTML',
        quoted: [
          {
            author: 'Jane Doe',
            at: new Date('2026-11-21T08:00:00Z'),
            body: 'It burns\nbadly',
            format: 'TEXT',
            files: [],
          },
        ],
        attachments: [
          file('my photo.png', 'image/png', Buffer.alloc(90, 1)),
          file('Smlouva – příloha č. 1.pdf', 'application/pdf', Buffer.alloc(60, 2)),
        ],
      }),
    );
    expect(source.toString('latin1')).toMatchSnapshot();
  });
});

test('the parts are where mail programs look for them, and files arrive to the byte', async () => {
  const bytes = Buffer.from(Array.from({ length: 200_001 }, (_, n) => (n * 7) % 256));
  const mail = await composed({
    body: '<p>x<img src="cid:a.png"></p>',
    format: 'HTML',
    attachments: [
      file('a.png', 'image/png', Buffer.alloc(3, 9)),
      file('b.bin', 'x/y', bytes),
      file('empty', 'text/plain', Buffer.alloc(0)),
    ],
  });
  expect(mail).toMatchObject(sound);
  expect(mail.tree).toEqual([
    'multipart/mixed',
    'multipart/alternative',
    'text/plain',
    'multipart/related',
    'text/html',
    'image/png',
    'x/y',
    'text/plain',
  ]);
  const [, html, image, binary, empty] = mail.parts;
  expect(bodyOf(html!).toString()).toContain(`src="cid:${image!.cid!.slice(1, -1)}"`);
  expect(bodyOf(binary!).equals(bytes)).toBe(true);
  expect(empty).toMatchObject({ name: 'empty', body: '', disposition: 'attachment' });
});

test.each([
  ['text/plain; charset=iso-8859-1', 'text/plain', { charset: 'iso-8859-1' }],
  [
    'text/calendar; method=REQUEST; charset="utf-8"',
    'text/calendar',
    { method: 'REQUEST', charset: 'utf-8' },
  ],
  ['text/plain; title="a; b \\" c"', 'text/plain', { title: 'a; b " c' }],
  ['text/plain; charset="a\r\nBcc: x@y"', 'text/plain', {}],
  [`text/plain; title="${'word '.repeat(40)}"`, 'text/plain', { title: 'word '.repeat(40) }],
  ['multipart/mixed; boundary=x', 'application/octet-stream', {}],
  ['message/rfc822; charset=utf-8', 'application/octet-stream', {}],
])('an attachment of type %j arrives as %s with its parameters', async (type, read, parameters) => {
  const mail = await composed({ attachments: [file('příloha\u200c.txt', type, Buffer.from('x'))] });
  expect(mail).toMatchObject(sound);
  expect(mail.parts.at(-1)).toMatchObject({ type: read, name: 'příloha\u200c.txt', parameters });
});

describe('case 25: nothing that is written into a field becomes a header or too long a line', () => {
  const nasty = [
    'a\r\nBcc: evil@x.com',
    'a\nX-Evil: 1',
    'a\rX-Evil: 1',
    'a\0b',
    'a\u2028X-Evil: 1',
    'a\u0085X-Evil: 1',
    'x'.repeat(5000),
    'ž'.repeat(3000),
    `${'word '.repeat(600)}end`,
    '=?utf-8?q?=0D=0ABcc:_evil@x.com?=',
    '"; filename="evil.exe',
    "utf-8''evil%0D%0A",
    '\ud800 lone',
    '\u202egpj.exe',
  ];
  const names = [
    'From',
    'To',
    'Cc',
    'Subject',
    'Date',
    'Message-ID',
    'In-Reply-To',
    'References',
    'MIME-Version',
    'Content-Type',
  ];

  // A title with thousands of letters would hide what failed.
  const titled = nasty.map((text) => [JSON.stringify(text).slice(0, 50), text] as const);
  test.each(titled)('%s as name, subject, file name, type and thread', async (_, text) => {
    const mail = await composed({
      // The database makes one line of a ticket's subject before it gets here.
      subject: oneLine(text),
      from: { name: text.replace(/[\0\r\n]/g, ' '), address: 'company@domain.com' },
      cc: [{ name: text.replace(/[\0\r\n]/g, ' '), address: 'cc@domain.com' }],
      thread: ['<a@b>', text, `<${text}@b>`, '<c@d>'],
      attachments: [file(text, text, Buffer.from('x'))],
    });
    expect(mail.headers.map(([name]) => name)).toEqual(names);
    expect(mail).toMatchObject(sound);
    expect(mail.longestLine).toBeLessThanOrEqual(998);
    expect(mail.to).toEqual([['Jane Doe', 'jane.doe@domain.com']]);
    expect(mail.cc.map(([, address]) => address)).toEqual(['cc@domain.com']);
    expect(mail.parts.at(-1)!.name).not.toMatch(/[\r\n\0\u202e]/);
    expect(mail.parts.at(-1)!.name!.length).toBeLessThanOrEqual(160);
  });

  test('a header that could not be written safely is a fault, not a mail', async () => {
    await expect(composeMail(mailPartsOf({ messageId: '<a@b>\r\nBcc: evil@x.com' }))).rejects.toThrow(
      /control character/,
    );
    await expect(composeMail(mailPartsOf({ messageId: `<${'x'.repeat(1200)}@b>` }))).rejects.toThrow(/998/);
  });

  test('any text at all, in every field', async () => {
    const text = anyText({ maxLength: 300 });
    const samples = fc.sample(
      fc.record({ name: text, subject: text, fileName: text, body: text, signature: text, author: text }),
      { numRuns: soaking ? 120 : 15, seed: 25 },
    );
    const sources = await Promise.all(
      samples.map((one) =>
        sourceOf(
          mailPartsOf({
            subject: oneLine(one.subject),
            from: { name: one.name.replace(/\p{Cc}/gu, ' '), address: 'company@domain.com' },
            body: one.body,
            signature: one.signature,
            quoted: [{ author: one.author, at: new Date(0), body: one.body, format: 'HTML', files: [] }],
            attachments: [file(one.fileName, 'text/plain', Buffer.from(one.body))],
          }),
        ),
      ),
    );
    for (const [n, mail] of (await parseMails(sources)).entries()) {
      expect(mail.headers.map(([name]) => name)).toEqual(
        names.filter((name) => !/^(Cc|In-Reply-To|References)$/.test(name)),
      );
      expect(mail, JSON.stringify(samples[n])).toMatchObject(sound);
      expect(mail.longestLine).toBeLessThanOrEqual(998);
      expect(bodyOf(mail.parts.at(-1)!).toString()).toBe(samples[n]!.body.toWellFormed());
    }
  });
});

describe('case 26: the envelope is the validated list, the headers name the same addresses', () => {
  const addresses = [
    '"a,b"@x.com',
    '"a b <c"@x.com'.replace('<', ''),
    "o'brien@x.com",
    'jan@žluťoučký.cz',
    '"a@b;c:d"@x.com',
    'a+b@x.com',
  ];
  test.each(addresses)('%s', async (address) => {
    const parts = mailPartsOf({
      cc: [
        { name: '', address },
        { name: 'A, B <x@y.z>', address },
      ],
    });
    const mail = await composeMail(parts);
    expect(mail.envelope.to).toHaveLength(3);
    const parsed = await parseMail(await sourceOf(parts));
    expect(parsed.defects).toEqual([]);
    expect(parsed.cc.map(([, spec]) => spec)).toEqual([mail.envelope.to[1], mail.envelope.to[2]]);
    expect(parsed.cc[1]![0]).toBe('A, B <x@y.z>');
  });
  test('a non-ASCII local part in any header asks for SMTPUTF8; an IDN or a Bcc does not', async () => {
    const asks = async (changes: Partial<MailParts>) =>
      (await composeMail(mailPartsOf(changes))).hasUtf8Headers;
    expect(await asks({ to: [{ name: '', address: 'žofie@x.cz' }] })).toBe(true);
    expect(await asks({ to: [{ name: '', address: 'zofie@žluťoučký.cz' }] })).toBe(false);
    expect(await asks({ bcc: [{ name: '', address: 'žofie@x.cz' }] })).toBe(false);
  });
});

describe('case 27: a body arrives as it was written', () => {
  const bodies = [
    '.',
    'a\n.\nb',
    'a\r\n.\r\nMAIL FROM:<x@y>\r\n',
    '\n.\r\n',
    'a\r.\rb',
    'a\n.\rb\r.\n',
    '..\n.a\n',
    'From me\nFrom you',
    'trailing blanks   \n\tand tabs\t\n',
    'x'.repeat(5000),
    'ž'.repeat(5000),
    'příliš žluťoučký kůň\n'.repeat(50),
    '日本語\n'.repeat(100),
    '=3D = =\n=\r\n',
    '\u{1f600} emoji',
    '\n\n\n',
    ' ',
  ];
  test.each(bodies)('%j', async (body) => {
    const mail = await composed({ body });
    expect(mail).toMatchObject(sound);
    expect(mail.longestLine).toBeLessThanOrEqual(998);
    // CRLF is the line break of mail, and what is decoded from it has no other (RFC 2046 §4.1.1); nothing
    // else may differ.
    expect(bodyOf(mail.parts[0]!).toString()).toBe(body.replace(/\r\n|\r|\n/g, '\r\n'));
  });
});

test('case 28: a blind copy is in the envelope and nowhere in the bytes', async () => {
  const parts = mailPartsOf({
    bcc: [{ name: 'Secret Agent', address: 'hidden@secret.example' }],
    cc: [{ name: '', address: 'cc@domain.com' }],
  });
  const mail = await composeMail(parts);
  expect(mail.envelope.to).toEqual(['jane.doe@domain.com', 'cc@domain.com', 'hidden@secret.example']);
  const bytes = (await sourceOf(parts)).toString('latin1');
  expect(bytes).not.toMatch(/hidden|secret|agent|^bcc:/im);
  expect(Buffer.from(bytes, 'latin1').equals(await sourceOf({ ...parts, bcc: [] }))).toBe(true);
});

describe('threading', () => {
  test('References is the first and as many of the last as fit a line; In-Reply-To the last', async () => {
    const thread = Array.from(
      { length: 200 },
      (_, n) => `<${String(n).padStart(4, '0')}.abcdefgh@domain.com>`,
    );
    const mail = await composed({ thread });
    const references = mail.headers.find(([name]) => name === 'References')![1].split(/\s+/);
    expect(references[0]).toBe(thread[0]);
    expect(references.slice(1)).toEqual(thread.slice(-(references.length - 1)));
    expect(references.join(' ').length).toBeLessThanOrEqual(998 - 'References: '.length);
    expect(references.length).toBeGreaterThan(20);
    expect(mail.headers.find(([name]) => name === 'In-Reply-To')![1]).toBe(thread.at(-1));
  });
  test('the first mail of a ticket that no mail opened answers nothing', async () => {
    expect((await composed({})).headers.map(([name]) => name)).not.toContain('References');
  });
});

test('the size is exact without reading a file, and its upper bound is never below it', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 400 });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.constantFrom('TEXT', 'HTML'),
      text,
      fc.array(fc.nat(3000), { maxLength: 4 }),
      async (body, format, signature, sizes) => {
        const attachments = sizes.map((size, n) => file(`f${n}`, 'a/b', Buffer.alloc(size)));
        const parts = mailPartsOf({ body, format: format as 'TEXT', signature, attachments });
        const exact = (await composeMail(parts)).byteSize;
        expect((await sourceOf(parts)).length).toBe(exact);
        const bound = encodedSizeUpperBound({
          bodyBytes: Buffer.byteLength(body),
          signatureBytes: Buffer.byteLength(signature),
          quotedBytes: 0,
          recipients: 1,
          attachments,
        });
        expect(bound).toBeGreaterThanOrEqual(exact);
      },
    ),
    { numRuns: soaking ? 150 : 40, seed: 1 },
  );
});

test('the bound holds for the text that grows most', async () => {
  const units = ['http://a.b ', '\t', '"', ' ', 'https://x/"', '\u0001', '日', '\n', '<b>'];
  for (const unit of sampled(units, 4))
    for (const format of ['TEXT', 'HTML'] as const) {
      const body = unit.repeat(3000);
      const bodyBytes = Buffer.byteLength(body);
      const bound = encodedSizeUpperBound({
        bodyBytes,
        signatureBytes: 0,
        quotedBytes: 0,
        recipients: 1,
        attachments: [],
      });
      expect(bound, JSON.stringify(unit)).toBeGreaterThanOrEqual(
        (await composeMail(mailPartsOf({ body, format }))).byteSize,
      );
    }
});

describe('preview', () => {
  test('it is the mail that would be sent, and its hash covers every part except the date', async () => {
    const parts = mailPartsOf({
      attachments: [file('a', 'a/b', Buffer.from('1'))],
      bcc: [{ name: '', address: 'b@x.com' }],
    });
    const preview = await previewMail({ ...parts, lastMail: null });
    expect(preview).toMatchObject({
      subject: parts.subject,
      text: 'Hello',
      previewHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const later = { ...parts, date: new Date(), messageId: '<other@x>' } as MailParts;
    expect((await previewMail({ ...later, lastMail: null })).previewHash).toBe(preview.previewHash);
    const others: Partial<PreviewParts>[] = [
      { lastMail: 7 },
      { body: 'Hello!' },
      { subject: 'x' },
      { signature: 's' },
      { to: [] },
      { cc: [{ name: '', address: 'c@x.com' }] },
      { bcc: [] },
      { from: { name: 'x', address: 'company@domain.com' } },
      { attachments: [] },
      { attachments: [file('a', 'a/b', Buffer.from('2'))] },
      { quoted: [{ author: 'a', at: new Date(0), body: 'b', format: 'TEXT', files: [] }] },
      { omitted: 1 },
      { autoSubmitted: true },
    ];
    const previews = await Promise.all(
      others.map((change) => previewMail({ ...parts, lastMail: null, ...change })),
    );
    const hashes = new Set(previews.map(({ previewHash }) => previewHash));
    expect(hashes.size).toBe(others.length);
    expect(hashes.has(preview.previewHash)).toBe(false);
  });
});
