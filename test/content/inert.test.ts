import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { plainTextToHtml } from '../../src/content/plain-text-to-html.ts';
import { soaking } from '../support/soak.ts';
import { hostile } from './hostile.ts';

const whole = (alternatives: string) => new RegExp(`^(?:${alternatives})$`);
const names = whole(
  'p|div|br|hr|blockquote|pre|h[1-6]|center|ul|ol|li|dl|dt|dd|table|caption|colgroup|col|' +
    'thead|tbody|tfoot|tr|th|td|a|abbr|b|bdi|bdo|big|cite|code|del|dfn|em|font|i|img|ins|kbd|' +
    'mark|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr',
);
const attributes = whole(
  'dir|lang|title|align|style|href|rel|target|src|data-src|alt|width|height|color|face|size|' +
    'start|value|reversed|type|border|cellpadding|cellspacing|rules|frame|bgcolor|colspan|' +
    'rowspan|valign|scope|span|datetime',
);

/**
 * Reads output strictly: every `<` opens or closes a listed element with listed, quoted attributes, or the
 * test fails.
 */
function assertInert(html: string) {
  const tags = [...html.matchAll(/<[\s\S]*?(?:>|$)/g)].map(([tag]) => tag);
  for (const tag of tags) {
    const parts = /^<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+="[^"<>]*")*)\s*\/?>$/.exec(tag);
    expect(parts, `${tag} in ${html}`).not.toBeNull();
    expect(parts![2]).toMatch(names);
    for (const [, name, value] of parts![3]!.matchAll(/([a-z-]+)="([^"]*)"/g)) {
      expect(name).toMatch(attributes);
      if (name === 'href') expect(value).toMatch(/^(?:https?:|mailto:|tel:)/i);
      if (name === 'src') expect(value).toMatch(/^(?:https?:|cid:|data:image\/)/i);
      if (name === 'style') expect(value).not.toMatch(/url|expression|import|position|behavior|[@\\{}]|-\d/i);
    }
  }
  expect(html).not.toMatch(/<!|<\?/);
}

describe('what an author wrote is inert when it is shown (case 39)', () => {
  test.each(hostile)('%s', (html) => {
    for (const body of [html, `<p>before</p>${html}<p>after</p>`, html + html]) {
      for (const pictures of ['HELD', 'SHOWN', 'OMITTED'] as const) {
        const clean = cleanHtml(body, pictures);
        assertInert(clean.html);
        expect(cleanHtml(clean.html, pictures).html).toBe(clean.html);
        assertInert(plainTextToHtml(clean.text));
        if (pictures !== 'SHOWN') expect(clean.html).not.toMatch(/\s(?:src|srcset)="https?:/i);
      }
    }
  });

  test('any mixture of the pieces of hostile HTML', () => {
    const pieces = hostile
      .flatMap((html) => html.split(/(?<=>)|(?=<)|(?<=")/))
      .concat([
        '&lt;',
        '&#60;',
        '">',
        "'",
        '`',
        '<!--',
        '-->',
        '<p>',
        '<table>',
        '<td>',
        '<a href=//x>',
        '<s>',
      ]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const { html } = cleanHtml(parts.join(''), 'HELD');
        assertInert(html);
        expect(cleanHtml(html, 'HELD').html).toBe(html);
      }),
      { numRuns: Number(process.env.RUNS ?? (soaking ? 1500 : 400)), seed: 39 },
    );
  });

  test('an executable address is hidden, one with an unsupported scheme is text; both are reported', () => {
    const { html, text, changes } = cleanHtml(
      '<a href="java&#10;script:alert(1)">a</a> <a href="file:///C:/plan.doc">b</a> <a href="/c">c</a>',
      'HELD',
    );
    expect(html).toBe('a b &lt;file:///C:/plan.doc&gt; c &lt;/c&gt;');
    expect(text).toBe('a b <file:///C:/plan.doc> c </c>');
    expect(changes).toEqual([
      { code: 'LINK', message: expect.stringMatching(/3 links.*: file:\/\/\/C:\/plan\.doc, \/c$/) },
    ]);
  });

  test.each([
    'position:fixed;top:0;left:0',
    'position:absolute;z-index:9',
    'margin-top:-50px',
    'margin:0 0 0 -3em',
    'text-indent:-200px',
    'transform:translate(10px, 10px)',
    'float:right',
    'width:99999px',
    'height:30000px',
    'font-size:5000px',
    'line-height:0',
    'line-height:.1',
    'letter-spacing:-5px',
    'padding-left:5000px',
    'vertical-align:-500px',
    'border:999px solid red',
    'inset:0',
    'will-change:transform',
    'outline:9999px solid',
    'box-shadow:0 0 0 9999px red',
    'margin\\-top:-5\\0 px',
    'width:calc(100vw + 500px)',
  ])('a message cannot be laid over what is around it: %s', (style) => {
    const { html } = cleanHtml(`<a href="https://x.example" style="color:red;${style}">x</a>`, 'SHOWN');
    expect(/style="([^"]*)"/.exec(html)?.[1]).toMatch(/^color:red(?:;font-size:96px)?$/);
  });
});
