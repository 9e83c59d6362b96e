import { expect, test } from 'vitest';
import { addressesOf, plainTextToHtml } from '../../src/content/plain-text-to-html.ts';
import { readBody } from '../../src/content/read-message-body.ts';

const link = (url: string) =>
  `<a href="${url}" target="_blank" rel="noopener noreferrer nofollow">${url}</a>`;

test('text becomes HTML that looks the same', () => {
  expect(plainTextToHtml('a <b> & "c"\r\n  d\te')).toBe(
    'a &lt;b&gt; &amp; &quot;c&quot;<br>\n&nbsp; d&nbsp;&nbsp;&nbsp; e',
  );
  expect(plainTextToHtml('see (https://x.example/a?b=1&c=2).')).toBe(
    `see (${link('https://x.example/a?b=1&amp;c=2')}).`,
  );
});

test.each([
  [
    'See https://en.wikipedia.org/wiki/Mercury_(planet) now',
    ['https://en.wikipedia.org/wiki/Mercury_(planet)'],
  ],
  [
    '(see https://en.wikipedia.org/wiki/Mercury_(planet))',
    ['https://en.wikipedia.org/wiki/Mercury_(planet)'],
  ],
  ['请看https://example.com/路径。谢谢', ['https://example.com/路径']],
  ['请看https://example.com/a，谢谢大家', ['https://example.com/a']],
  ['访问https://example.com查看详情', ['https://example.com']],
  ['见https://example.com/help谢谢', ['https://example.com/help']],
  ['https://zh.wikipedia.org/wiki/北京 和', ['https://zh.wikipedia.org/wiki/北京']],
  ['https://例え.jp/テスト、これ', ['https://例え.jp/テスト']],
  ['https://bücher.example/ä?x=1.', ['https://bücher.example/ä?x=1']],
  [
    'Really https://x.example/a?b!! "https://y.example/c", <https://z.example/>; end',
    ['https://x.example/a?b', 'https://y.example/c', 'https://z.example/'],
  ],
  ['write to jane.doe+a@x.example.', ['mailto:jane.doe+a@x.example']],
  ['mailto:a@x.example or HTTPS://X.EXAMPLE/A', ['mailto:a@x.example', 'HTTPS://X.EXAMPLE/A']],
  ['http://localhost:8080/x http://192.168.1.1/a', ['http://localhost:8080/x', 'http://192.168.1.1/a']],
  ['no://x.example xhttp://x.example //x.example ftp://x.example javascript:alert(1) a@b 12:30', []],
])('addresses in text are found: %s', (text, urls) => {
  expect([...addressesOf(text)].map(({ url }) => url)).toEqual(urls);
});

test.each(['\r\n', '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029'])(
  'a line that ends in %j is a line of the HTML',
  (end) => {
    expect(plainTextToHtml(`a${end}b${end}${end} c`)).toBe('a<br>\nb<br>\n<br>\n&nbsp;c');
  },
);

test('each line of a text has its own direction', async () => {
  const { html, text } = await readBody('שלום\nHello', 'TEXT');
  expect(html).toBe('<div dir="auto" style="unicode-bidi:plaintext">שלום<br>\nHello</div>');
  expect(text).toBe('שלום\nHello');
});

test.each([
  ...[
    '',
    ' \r\n\t',
    '\u200b',
    '\u00ad',
    '\u3164',
    '\u2800',
    '\u00a0',
    '\u{e0041}',
    '\ufe0f\u200d',
    '\u2066\u2069',
    '\ufeff',
  ],
])('a text that shows nothing is blank: %j', async (text) => {
  expect((await readBody(text, 'TEXT')).blank).toBe(true);
  expect((await readBody(`<p>${text}</p>`, 'HTML')).blank).toBe(true);
  expect((await readBody(`${text}.`, 'TEXT')).blank).toBe(false);
});

test.each([
  ...[
    '<style>p{}</style>',
    '<title>x</title>',
    '<svg><text>x</text></svg>',
    '<script>x</script>',
    '&#8203;',
    '<hr>',
    '<br>',
  ],
  ...[
    '<img>',
    '<img src="x.png">',
    '<img src="javascript:x">',
    '<input type="hidden" value="x">',
    '<!-- x -->',
    '<a href="https://x.example"></a>',
  ],
  ...[
    '<div hidden>x</div>',
    '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
    '<img src="data:image/png;base64,AAAA">',
    '<table><tr><td>&nbsp;</table>',
  ],
])('HTML that shows nothing is blank: %s', async (html) => {
  expect((await readBody(html, 'HTML')).blank).toBe(true);
});

test.each([
  'x',
  '<img src="cid:a.png">',
  '<img src="https://x.example/a.png">',
  '<img alt="x">',
  '<p>&euro;',
  '<xmp>x',
  '<textarea>x',
])('HTML that shows something is not: %s', async (html) => {
  expect((await readBody(html, 'HTML')).blank).toBe(false);
});
