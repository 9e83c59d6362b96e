import { describe, expect, test } from 'vitest';
import { cleanHtml } from '../../src/content/html/clean-html.ts';

const read = (html: string) => cleanHtml(html, 'HELD');

test('what people write stays as they wrote it', () => {
  const html =
    '<p style="color:red">Hello <b>you</b>, <a href="https://x.example/?a=1&amp;b=2" target="_blank" ' +
    'rel="noopener noreferrer nofollow">look</a></p><ul><li>a</li></ul><img src="cid:photo.png" ' +
    'alt="p" /><table><tbody><tr><td colspan="2">1</td></tr></tbody></table>';
  expect(read(html)).toMatchObject({ html, changes: [], blank: false });
  expect(read(html).text).toBe('Hello you, look <https://x.example/?a=1&b=2>\n\n * a\n\n1');
});

test.each([
  ['no end of the head', '<html><head><title>t</title><p>Text', 'Text'],
  ['no body', '<title>t</title><style>p{}</style>Text', 'Text'],
  [
    "Word's head",
    `<!--[if gte mso 9]><xml>${('<w:LsdException ' + 'Locked="false"/>').repeat(
      376,
    )}</xml><![endif]--><p>x<o:p/></p>`,
    'x',
  ],
  [
    '400 paragraphs and elements that close themselves',
    '<p>x</p><span/>'.repeat(400),
    Array(400).fill('x').join('\n\n'),
  ],
  ['an XML declaration', '<?xml version="1.0"?><html xmlns:o="urn:x"><body><o:p>x</o:p></body></html>', 'x'],
  ['noscript', '<noscript>shown to whoever runs none</noscript>', 'shown to whoever runs none'],
])('valid HTML is read as a browser reads it: %s', (_, html, text) => {
  expect(read(html)).toMatchObject({ text, blank: false });
});

test.each([
  ['section', '<section>Step one</section><section>Step two</section>', 'Step one\nStep two'],
  ['dl', '<dl><dt>Serial<dd>4711<dt>Site<dd>Leeds</dl>', 'Serial\n   4711\nSite\n   Leeds'],
  [
    'address, figure, center',
    '<address>a</address><figure>b<figcaption>c</figcaption></figure><center>d</center>e',
    'a\nb\nc\nd\ne',
  ],
  ['details', '<details><summary>More</summary>Inside</details>after', 'More\nInside\nafter'],
  ['fieldset', '<fieldset><legend>a</legend>b</fieldset>c', 'a\nb\nc'],
  [
    'spans that are blocks',
    '<span style="display:block">a</span><span style="display:block">b</span>',
    'a\nb',
  ],
  ['a flex box', '<div style="display:flex"><span>a</span><span>b</span></div>', 'a\nb'],
  ['line breaks', 'a<br>b<div><br></div>c', 'a\nb\n\nc'],
  [
    'paragraphs without margins',
    '<style>p.MsoNormal{margin:0cm;margin-bottom:.0001pt}</style><p class=MsoNormal>a</p><p ' +
      'class=MsoNormal>b</p>',
    'a\nb',
  ],
  ['a table', '<table border=1><tr><th>A<th>B<tr><td>1<td>2</table>', 'A\tB\n1\t2'],
  ['pre', '<pre>\na\n  b</pre>', 'a\n  b'],
  ['pre-wrap', '<div style="white-space: pre-wrap">a\n  b</div>', 'a\n  b'],
  [
    'a quotation',
    'x<blockquote>a<br>b<blockquote>c</blockquote></blockquote>y',
    'x\n\n> a\n> b\n>\n> > c\n\ny',
  ],
  ['a short quotation', 'he said <q>yes</q>', 'he said "yes"'],
])('blocks end lines: %s', (_, html, text) => {
  const once = read(html);
  expect(once.text).toBe(text);
  // The output has the same meaning when it is read again.
  expect(read(once.html).text).toBe(text);
});

test.each([
  ['letters', '<ol type=a start=3><li>x<li>y</ol>', ' c. x\n d. y'],
  ['roman', '<ol style="list-style-type:upper-roman"><li>x<li value=9>y<li>z</ol>', ' I. x\n IX. y\n X. z'],
  ['reversed', '<ol reversed><li>x<li>y</ol>', ' 2. x\n 1. y'],
  ['nested', '<ol><li>x<ul><li>y</ul></ol>', ' 1. x\n     * y'],
  ['without markers', '<ul style="list-style:none"><li>x</ul>', 'x'],
  [
    'Quill',
    '<ol><li data-list="bullet"><span class="ql-ui"></span>x</li><li data-list="ordered">y</li></ol>',
    ' * x\n 1. y',
  ],
  [
    "Quill's levels and ticks",
    '<ol><li data-list="ordered">x<li data-list="ordered" class="ql-indent-1">y<li data-list="ordered" ' +
      'class="ql-indent-1">z<li data-list="checked">u<li data-list="unchecked">v<li ' +
      'data-list="ordered">w<li data-list="ordered" class="ql-indent-1">y</ol>',
    ' 1. x\n    a. y\n    b. z\n ☑ u\n ☐ v\n 2. w\n    a. y',
  ],
  [
    'Word',
    `<p class=MsoListParagraph style='text-indent:-18.0pt;mso-list:l0 level1 lfo1'><![if ` +
      `!supportLists]><span style='font-family:Symbol'><span style='mso-list:Ignore'>·<span ` +
      `style='font:7.0pt "Times New Roman"'>&nbsp;&nbsp;&nbsp; </span></span></span><![endif]>First</p>`,
    ' •  First',
  ],
  [
    'ticks',
    '<ul class="todo-list"><li><label><input type="checkbox" checked ' +
      'disabled><span>x</span></label></li></ul>',
    ' * ☑ x',
  ],
])('lists keep their markers: %s', (_, html, text) => {
  expect(read(html).text).toBe(text);
});

test.each([
  ['a link', `<a href="x:${'a'.repeat(197)}😀">x</a>`],
  ['an image', `<img src="x:${'a'.repeat(57)}😀">x`],
])('the address of %s that is cut in its report is made of whole characters', (_, html) => {
  const [change] = read(html).changes;
  expect(change!.message).toContain('aaa');
  expect(change!.message.isWellFormed()).toBe(true);
});

test('an image of an emoji is part of the text', () => {
  const emoji = (alt: string) => read(`Well done <img src="https://x.example/e.png" alt="${alt}">!`).text;
  expect(emoji('🎉')).toBe('Well done 🎉!');
  expect(emoji('👩🏽‍💻🇨🇿')).toBe('Well done 👩🏽‍💻🇨🇿!');
  expect(emoji(':tada:')).toBe('Well done :tada:!');
  expect(emoji('1')).toBe('Well done !');
  expect(emoji('Logo')).toBe('Well done !');
});

test('the text of a form field keeps its lines', () => {
  expect(read('<textarea>first\n  second</textarea>').text).toBe('first\n  second');
});

test.each([
  ['the selected option', '<select><option>Low<option selected>High</select>', 'Priority: High'],
  ['the first, if none is selected', '<select><option>Low</option><option>High</select>', 'Priority: Low'],
  [
    'each of several',
    '<select multiple><option selected>A<option>B<option selected>C</select>',
    'Priority: A, C',
  ],
  ['an empty list', '<select></select>', 'Priority:'],
])('a choice list shows its choice: %s', (_, html, text) => {
  expect(read(`Priority: ${html}`).text.trim()).toBe(text);
});

test.each([
  [
    'frames',
    '<iframe src="https://x/1"></iframe><iframe src="https://x/2"></iframe>',
    'https://x/1 https://x/2',
  ],
  ['a frame between words', 'see<iframe src="https://x/1"></iframe>now', 'see https://x/1 now'],
  [
    'links of an image',
    '<map><area href="https://x/1"><area href="https://x/2" alt=b></map>',
    'https://x/1 https://x/2',
  ],
  ['fields', '<input value="12"><input value="05"><select><option>a</select>', '12 05 a'],
])('what stands in place of %s is words of their own, and is told', (_, html, text) => {
  const shown = read(html);
  expect(shown.text.trim()).toBe(text);
  expect(shown.html.replace(/<[^>]*>/g, '').trim()).toBe(text);
  expect(shown.changes).toHaveLength(1);
});

describe('MathML is text that says what its layout says', () => {
  const x = '<mi>x</mi>';
  const sum = `<mrow>${x}<mo>+</mo><mn>1</mn></mrow>`;
  const inParentheses = `<mrow><mo>(</mo>${sum}<mo>)</mo></mrow>`;
  const half = '<mfrac><mn>1</mn><mn>2</mn></mfrac>';
  test.each([
    ['1/2', half],
    ['1 1/2', `<mn>1</mn>${half}`],
    ['1/2 x=1/2', `${half}${x}<mo>=</mo>${half}`],
    ['(x+1)/x', `<mfrac>${sum}${x}</mfrac>`],
    ['x^2', `<msup>\n ${x}\n <mn>2</mn>\n</msup>`],
    ['x^(x+1)', `<msup>${x}${sum}</msup>`],
    ['(x+1)^2', `<msup>${inParentheses}<mn>2</mn></msup>`],
    ['x^(1/2)', `<msup>${x}${half}</msup>`],
    ['x_1^2', `<msubsup>${x}<mn>1</mn><mn>2</mn></msubsup>`],
    ['√2', '<msqrt><mn>2</mn></msqrt>'],
    ['√(x+1)', `<msqrt>${x}<mo>+</mo><mn>1</mn></msqrt>`],
    ['8^(1/3)', '<mroot><mn>8</mn><mn>3</mn></mroot>'],
    ['∑_(x+1)^x', `<munderover><mo>∑</mo>${sum}${x}</munderover>`],
    ['x¯', `<mover>${x}<mo>¯</mo></mover>`],
    [
      '1 2; 3 4',
      '<mtable><mtr><mtd>1</mtd><mtd>2</mtd></mtr><mtr><mtd>3</mtd><mtd>4</mtd></mtr></mtable>'.replace(
        /(\d)/g,
        '<mn>$1</mn>',
      ),
    ],
    ['x', `<semantics><mrow>${x}</mrow><annotation encoding="application/x-tex">y</annotation></semantics>`],
  ])('%s', (said, math) => {
    expect(read(`<math>${math}</math>`)).toMatchObject({ text: said, html: said });
  });
});

describe('how something looks says what it means', () => {
  test('raised and lowered, struck through, and symbols', () => {
    expect(read('10<sup>6</sup> m<sup>2</sup> H<sub>2</sub>O 1<sup>st</sup> 10<sub>2</sub>').text).toBe(
      '10^6 m^2 H2O 1st 10_2',
    );
    expect(read('10<span style="vertical-align:super">6</span>').text).toBe('10^6');
    expect(read('𝑥<sup>2</sup> 😀<sup>2</sup>').text).toBe('𝑥^2 😀2');
    expect(read('<span style="text-decoration:line-through">gone</span>').html).toBe(
      '<span><s>gone</s></span>',
    );
    expect(read('<p style="text-decoration-line: underline line-through">gone</p>').html).toBe(
      '<p style="text-decoration:underline"><s>gone</s></p>',
    );
    expect(read("<span style='font-family:Wingdings'>J à</span>").text).toBe('☺ →');
  });

  test('borders of Word and Excel, direction, and lists', () => {
    const { html } = read(
      "<table style='border:solid windowtext 1.0pt;border-collapse:collapse' cellspacing=0 " +
        "border=1><tr><td style='border:none;border-bottom:solid windowtext .5pt;padding:0cm 5.4pt 0cm " +
        "5.4pt'>x</table><p style='direction:rtl;unicode-bidi:embed' dir=RTL>y</p>",
    );
    expect(html).toContain('border:1.0pt solid windowtext;border-collapse:collapse');
    expect(html).toContain('border:none;border-bottom:.5pt solid windowtext;padding:0cm 5.4pt 0cm 5.4pt');
    expect(html).toContain('<p dir="RTL" style="direction:rtl;unicode-bidi:embed">');
    expect(html).toContain('cellspacing="0"');
    expect(
      read('<style>.xl65{border:.5pt solid windowtext}</style><table><td class=xl65>x</table>').html,
    ).toContain('<td style="border:.5pt solid windowtext">');
    expect(read('<ol type=I start=4 reversed><li value=7>x</ol>').html).toBe(
      '<ol start="4" type="I" reversed="reversed"><li value="7">x</li></ol>',
    );
  });

  test('links in text are followed by their address, once', () => {
    expect(read('<a href=" https://x.example ">x</a> <a href="https://x.example/">x.example</a>').text).toBe(
      'x <https://x.example> x.example',
    );
    expect(read('<a href="mailto:a@b.example">a@b.example</a>').text).toBe('a@b.example');
    expect(read('<a href="ht\ntps://x.example/a">y</a>').links).toEqual(['https://x.example/a']);
    expect(read('<a href="https://x.example"><img src="cid:l.png" alt="Logo"></a>').text).toBe(
      'Logo <https://x.example>',
    );
  });
});

test("Quill's items look in HTML as they do in the editor", () => {
  const { html } = read(
    '<ol><li data-list="ordered">x<li data-list="ordered" class="ql-indent-1">y<li ' +
      'data-list="checked">z</ol>',
  );
  expect(html).toBe(
    '<ol><li value="1" style="list-style-type:decimal">x</li><li value="1" ' +
      'style="padding-left:3em;list-style-type:lower-alpha;padding-left:0;margin-left:3em">y</li><li ' +
      'style="list-style-type:none">☑ z</li></ol>',
  );
});

test("Word's markers hang into their own margin, and into no other's", () => {
  const { html } = read(
    '<p style="margin-left:36pt;text-indent:-18pt">x</p><p style="margin-left:12pt;text-indent:-18pt">y</p>',
  );
  expect(html).toBe('<p style="text-indent:-18pt;margin-left:36pt">x</p><p style="margin-left:12pt">y</p>');
});

test('a marker is the symbol of the font that it stands in', () => {
  const { text } = read(
    "<p style='mso-list:l0 level1 lfo1'><span style='font-family:Wingdings'><span " +
      "style='mso-list:Ignore'>§<span style='font:7pt Times'>&nbsp; </span></span></span>x</p>",
  );
  expect(text).toBe(' ▪  x');
});
