import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Arriving } from '../../../../src/graphql/http/multipart/body-reader.ts';
import { MalformedForm, readParts } from '../../../../src/graphql/http/multipart/read-parts.ts';
import { soaking } from '../../../support/soak.ts';

const boundary = 'b0undary';
const latin1 = (text: string) => Buffer.from(text, 'latin1');

/** A request that arrives in pieces of these sizes, over and over. */
function arrivingIn(form: Buffer, sizes: readonly number[]): Arriving {
  let [at, n] = [0, 0];
  return {
    async next() {
      if (at >= form.length) return undefined;
      const size = sizes[n++ % sizes.length]!;
      at += size;
      return form.subarray(at - size, at);
    },
    stop() {},
  };
}

async function read(form: Buffer, sizes: readonly number[] = [form.length]) {
  const found: {
    name: string;
    fileName: string | undefined;
    contentType: string | undefined;
    body: Buffer;
  }[] = [];
  for await (const { body, ...headers } of readParts(arrivingIn(form, sizes), boundary)) {
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    found.push({ ...headers, body: Buffer.concat(chunks) });
  }
  return found;
}

const formOf = (bodies: readonly Buffer[], { preamble = '', padding = '', epilogue = '' } = {}) =>
  Buffer.concat([
    latin1(preamble),
    ...bodies.flatMap((body, n) => [
      latin1(`--${boundary}${padding}\r\nContent-Disposition: form-data; name="${n}"\r\n\r\n`),
      body,
      latin1('\r\n'),
    ]),
    latin1(`--${boundary}--${padding}${epilogue}`),
  ]);

/** Random bytes, most of them characters of a delimiter. */
const tricky = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
      fc
        .constantFrom(...['\r', '\n', '-', '\r\n', '\r\n-', '\r\n--', '\r\n--b0undar', `--${boundary}`, ' '])
        .map(latin1),
      fc.constantFrom(...['x', '-x', '  x', '\rx', 'y']).map((rest) => latin1(`\r\n--${boundary}${rest}`)),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces));

test('parts come back to the byte, whatever they hold and however they arrive', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(tricky, { minLength: 1, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
      fc.constantFrom('', 'a preamble\r\n', '\r\n'),
      fc.constantFrom('', ' ', ' \t'),
      async (bodies, sizes, preamble, padding) => {
        // What a part ends in must not make a delimiter together with what follows it.
        fc.pre(
          bodies.every((body) => !/\r\n--b0undary[ \t]*(\r\n|--)/.test(`${body.toString('latin1')}\r\n`)),
        );
        const form = formOf(bodies, { preamble, padding, epilogue: '\r\nan epilogue' });
        const parts = await read(form, sizes);
        expect(parts.map(({ name, body }) => [name, body.toString('latin1')])).toEqual(
          bodies.map((body, n) => [String(n), body.toString('latin1')]),
        );
      },
    ),
    { numRuns: soaking ? 2000 : 250, seed: 7 },
  );
});

test('a part that is not read, or not to its end, does not hold up the next', async () => {
  const form = formOf([Buffer.alloc(5000, 'a'), Buffer.alloc(5000, 'b'), Buffer.from('last')]);
  const seen: string[] = [];
  for await (const { name, body } of readParts(arrivingIn(form, [64]), boundary)) {
    if (name === '1') for await (const chunk of body) if (chunk.length > 0) break;
    if (name === '2') for await (const chunk of body) seen.push(chunk.toString());
  }
  expect(seen.join('')).toBe('last');
});

test('what is handed out is not written to again', async () => {
  const body = Buffer.alloc(3000, '\r\n--b0undarX');
  const held: Buffer[] = [];
  for await (const part of readParts(arrivingIn(formOf([body]), [7, 11]), boundary))
    for await (const chunk of part.body) held.push(chunk);
  expect(Buffer.concat(held).equals(body)).toBe(true);
});

test.each([
  ['lines that begin as one', '\r\n--b0undarX'],
  ['lines that begin with the boundary', `\r\n--${boundary}x`],
  ['blanks behind the boundary', `\r\n--${boundary}${' '.repeat(100_000)}`],
])('%s are handed out in the pieces in which they came', async (_, line) => {
  const body = Buffer.alloc(200_000, line);
  const sizes: number[] = [];
  for await (const part of readParts(arrivingIn(formOf([body]), [10_000]), boundary))
    for await (const chunk of part.body) sizes.push(chunk.length);
  expect(sizes.reduce((sum, size) => sum + size)).toBe(body.length);
  expect(sizes.length).toBeLessThanOrEqual(25);
  expect(Math.max(...sizes)).toBeLessThan(20_000);
});

const withHeaders = (lines: string, charset: BufferEncoding = 'utf8') =>
  Buffer.from(`--${boundary}\r\n${lines}\r\n\r\nx\r\n--${boundary}--`, charset);

test.each([
  ['form-data; name="a"', { name: 'a', fileName: undefined }],
  ['form-data; name="0"; filename="q%22uote.txt"', { fileName: 'q"uote.txt' }],
  ['form-data; name="0"; filename="q\\"uote.txt"', { fileName: 'q"uote.txt' }],
  ['form-data; name="0"; filename="a%0D%0Ab%25c"', { fileName: 'a\r\nb%25c' }],
  ['form-data; name="0"; filename="C:\\temp\\new.txt"', { fileName: 'C:\\temp\\new.txt' }],
  ['form-data; name="0"; filename=""', { fileName: '' }],
  ['form-data; name=0; filename=plain.txt', { name: '0', fileName: 'plain.txt' }],
  ['form-data; filename="first; name=x.txt"; name="0"', { name: '0', fileName: 'first; name=x.txt' }],
  ['form-data; name="0"; filename="záznam ü 漢字 🎉.log"', { fileName: 'záznam ü 漢字 🎉.log' }],
  ['form-data; name="0"; filename="x"; filename*=UTF-8\'\'na%C3%AFve%22.txt', { fileName: 'naïve".txt' }],
  ['form-data; name="0"; filename="x.txt"; filename*=UTF-8\'\'%ZZ', { fileName: 'x.txt' }],
  ['form-data; name="0"; filename*=UTF-8\'en\'a', { fileName: 'a' }],
  ['FORM-DATA;name="0" ;  FileName="A"', { name: '0', fileName: 'A' }],
  // RestSharp, PowerShell and Spring write a name as encoded words, the first two without filename*.
  ['form-data; name="0"; filename="=?utf-8?B?cMWZw61sb2hhLnR4dA==?="', { fileName: 'příloha.txt' }],
  ['form-data; name="0"; filename="=?UTF-8?Q?p=C5=99=C3=ADloha_1.txt?="', { fileName: 'příloha 1.txt' }],
  ['form-data; name="0"; filename="=?iso-8859-2?q?p=F8=ED?= =?utf-8?b?bG9oYQ==?="', { fileName: 'příloha' }],
  ['form-data; name="0"; filename="=?utf-8?B?cMWZ?=.txt"', { fileName: '=?utf-8?B?cMWZ?=.txt' }],
  ['form-data; name="0"; filename="=?utf-8?B?6Q==?="', { fileName: '=?utf-8?B?6Q==?=' }],
  ['form-data; name="0"; filename="=?nothing?B?YQ==?="', { fileName: '=?nothing?B?YQ==?=' }],
  // Names that were unpacked in a wrong charset have controls of Latin-1: ordinary bytes of a header.
  ['form-data; name="0"; filename="Ã\u0084rger\u0085.txt"', { fileName: 'Ã\u0084rger\u0085.txt' }],
])('%s', async (disposition, expected) => {
  expect((await read(withHeaders(`Content-Disposition: ${disposition}`)))[0]).toMatchObject(expected);
});

test('a name in an old charset is decoded by a guess, and a type keeps its parameters', async () => {
  const form = withHeaders(
    'content-disposition: form-data; name="0"; filename="caf\xe9.txt"\r\nContent-Type:text/plain;\r\n ' +
      'charset=iso-8859-1',
    'latin1',
  );
  expect(await read(form)).toMatchObject([
    { fileName: 'café.txt', contentType: 'text/plain; charset=iso-8859-1' },
  ]);
});

test.each(['binary', '8bit', '7BIT'])('a transfer encoding that encodes nothing: %s', async (encoding) => {
  const lines = 'Content-Disposition: form-data; name="0"\r\nContent-Transfer-Encoding: ';
  expect(await read(withHeaders(lines + encoding))).toMatchObject([{ name: '0' }]);
});

test.each([
  ['a NUL in a name', withHeaders('Content-Disposition: form-data; name="0"; filename="a\0b"')],
  ['a bare line feed', withHeaders('Content-Disposition: form-data; name="0"; filename="a\nb"')],
  ['no disposition', withHeaders('Content-Type: text/plain')],
  ['no headers', withHeaders('')],
  ['another disposition', withHeaders('Content-Disposition: attachment; name="0"')],
  ['no name', withHeaders('Content-Disposition: form-data; filename="a"')],
  ['a line that is no header', withHeaders('Content-Disposition: form-data; name="0"\r\nnonsense')],
  ['headers without an end', withHeaders(`Content-Disposition: form-data; name="${'x'.repeat(20_000)}"`)],
  [
    'a file in base64, as it is in mail',
    withHeaders('Content-Disposition: form-data; name="0"\r\nContent-Transfer-Encoding: base64'),
  ],
  [
    'a file as quoted-printable',
    withHeaders('content-transfer-encoding: Quoted-Printable\r\nContent-Disposition: form-data; name="0"'),
  ],
  ['no closing delimiter', formOf([Buffer.from('cut')]).subarray(0, -2)],
  ['half of a delimiter', formOf([Buffer.from('cut')]).subarray(0, -6)],
  ['nothing', Buffer.alloc(0)],
])('%s: refused as malformed', async (_what, form) => {
  await expect(read(form, [5])).rejects.toThrow(MalformedForm);
});
