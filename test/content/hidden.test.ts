import { describe, expect, test } from 'vitest';
import { cleanHtml } from '../../src/content/html/clean-html.ts';

const ways: Readonly<Record<string, string>> = {
  display: '<div style="display:none">SECRET</div>',
  'display, said to be important': '<div style="display:none !important">SECRET</div>',
  'display, spelt with escapes and comments':
    '<div style="dis\\70lay:n/**/one;display:/* */none">SECRET</div>',
  visibility: '<div style="visibility:hidden">SECRET</div>',
  'the attribute': '<div hidden>SECRET</div>',
  'no size of letters': '<div style="font-size:0">SECRET</div>',
  'no size in a shorthand': '<div style="font:0/0 a">SECRET</div>',
  'one pixel': '<div style="font-size:1px;line-height:1px">SECRET</div>',
  'letters of the colour of the page': '<div style="color:#fff">SECRET</div>',
  'nearly the colour of the page': '<font color="#fefefe">SECRET</font>',
  'the colour of the cell':
    '<table><td bgcolor="navy"><span style="color:#000080">SECRET</span></td></table>',
  transparent: '<div style="color:transparent">SECRET</div>',
  'no opacity of the colour': '<div style="color:rgba(0,0,0,0)">SECRET</div>',
  opacity: '<div style="opacity:0">SECRET</div>',
  filter: '<div style="filter:opacity(0%)">SECRET</div>',
  'no height': '<div style="max-height:0;overflow:hidden">SECRET</div>',
  'no width': '<div style="width:0px;overflow:hidden">SECRET</div>',
  'off the screen': '<div style="position:absolute;left:-9999px">SECRET</div>',
  'indented off the screen': '<div style="text-indent:-9999px">SECRET</div>',
  'a margin off the screen': '<div style="margin-left:-5000px">SECRET</div>',
  clipped: '<div style="position:absolute;clip:rect(0 0 0 0)">SECRET</div>',
  'clipped by a path': '<div style="clip-path:inset(100%)">SECRET</div>',
  scaled: '<div style="transform:scale(0)">SECRET</div>',
  'hidden from Outlook': '<div style="mso-hide:all">SECRET</div>',
  'a style sheet': '<style>.p{display:none}</style><div class="p">SECRET</div>',
  'a style sheet by descent':
    '<style>#a > div span{visibility:hidden}</style><p id=a><div ' +
    'id=a><div><b><span>SECRET</span></b></div></div>',
  'a style sheet for screens':
    '<style>@media screen{div.p{font-size:0!important}}</style><div class="p" ' +
    'style="font-size:20px">SECRET</div>',
  'the first of its siblings': '<style>b:first-child{display:none}</style><p><b>SECRET</b></p>',
  'one by its number': '<style>i:nth-child(2n+1):not(.k){display:none}</style><p><i>SECRET</i></p>',
  'one after another': '<style>hr.m + p{display:none}hr{display:none}</style><hr class=m><p>SECRET</p>',
  'one somewhere after another':
    '<style>#m ~ .q{display:none}#m{display:none}</style><hr id=m><i></i><p class=q>SECRET</p>',
  'the end of an attribute': '<style>[data-k$="ue" i]{display:none}</style><p data-k="TRUE">SECRET</p>',
  'an ancestor behind a nearer one':
    '<style>.a > div p{display:none}</style><div class=a><div><div><p>SECRET</p></div></div></div>',
  'a rule in a rule': '<style>.a{color:red;& > p{display:none}}</style><div class=a><p>SECRET</p></div>',
  'a class with an escape': '<style>.w\\/2{display:none}</style><p class="w/2">SECRET</p>',
  'a feature of a wide screen':
    '<style>@media not print{@media (width > 600px){p.a{display:none}}}</style><p class=a>SECRET</p>',
  'what browsers support': '<style>@supports (display:grid){p.a{display:none}}</style><p class=a>SECRET</p>',
  'a formula': '<math style="display:none"><mtext>SECRET</mtext></math>',
  'a part of a formula by its class': '<style>.p{color:#fff}</style><math><mi class=p>SECRET</mi></math>',
  'a phantom of a formula': '<math><mphantom><mi>SECRET</mi></mphantom></math>',
  'a dialog that is not open': '<dialog>SECRET</dialog>',
  preheader:
    '<div style="display:none;font-size:1px;color:#ffffff;line-height:1px;max-height:0px;max-width:0px;' +
    'opacity:0;overflow:hidden;mso-hide:all">SECRET&#847;&zwnj;&nbsp;</div>',
};

describe('what a reader would not have seen is shown nowhere, and that is told', () => {
  test.each(Object.entries(ways))('%s', (_, hidden) => {
    for (const pictures of ['HELD', 'SHOWN', 'OMITTED'] as const) {
      const { html, text, changes, blank } = cleanHtml(`<p>Hello</p>${hidden}<p>there</p>`, pictures);
      expect(html).not.toContain('SECRET');
      expect(text).toBe('Hello\n\nthere');
      expect(changes.map(({ code }) => code)).toEqual(['HIDDEN_TEXT']);
      expect(blank).toBe(false);
    }
    expect(cleanHtml(hidden, 'HELD').blank).toBe(true);
  });
});

test.each([
  ['read by machines alone', '<div aria-hidden="true">x</div>'],
  ['large letters in a box of none', '<td style="font-size:0"><div style="font-size:14px">x</div></td>'],
  ['shown again', '<div style="visibility:hidden"><span style="visibility:visible">x</span></div>'],
  ['white on a dark page', '<body bgcolor="#222"><p style="color:white">x</p></body>'],
  [
    'white on a picture',
    '<div style="background:url(https://x.example/a.png)"><p style="color:white">x</p></div>',
  ],
  ['a button for all but Outlook', '<a href="https://x.example" style="mso-hide:all">x</a>'],
  [
    'a button in a frame for all but Outlook',
    '<style>.b{mso-hide:all}</style><span class=b><a class=b href="https://x.example">x</a></span>',
  ],
  [
    'a table that is such a button',
    '<a href="https://x.example" style="mso-hide:all"><table style="mso-hide:all"><tr style="mso-hide:all">' +
      '<td style="mso-hide:all">x</td></tr></table></a>',
  ],
  ['hidden on telephones alone', '<style>@media (max-width:600px){.w{display:none}}</style><p class=w>x</p>'],
  ['hidden on paper alone', '<style media=print>p{display:none}</style><p>x</p>'],
  ['hidden in the dark alone', '<style>@media (prefers-color-scheme:dark){p{display:none}}</style><p>x</p>'],
  ['hidden in Gmail alone', '<style>u + .body p{display:none}</style><body class=body><p>x</p></body>'],
  ['hidden by a rule that is none', '<style>p, p:-moz-any(p){display:none}</style><p>x</p>'],
  ['hidden letters of its first line', '<style>p::first-line{display:none}</style><p>x</p>'],
  ['hidden but for the first', '<style>p:not(:first-of-type){display:none}</style><p>x</p>'],
  ['hidden until the pointer comes', '<style>p:hover{display:none}</style><p>x</p>'],
])('what is seen is shown: %s', (_, html) => {
  expect(cleanHtml(html, 'HELD')).toMatchObject({ text: expect.stringMatching(/^x/), blank: false });
});

test('what is hidden in Outlook after a button is hidden', () => {
  const button = '<div style="mso-hide:all"><a href="https://x.example">x</a></div>';
  const html = `${button}<div style="mso-hide:all">SECRET</div>`;
  expect(cleanHtml(html, 'HELD')).toMatchObject({
    text: 'x <https://x.example>',
    changes: [{ code: 'HIDDEN_TEXT' }],
  });
});

test('pictures of the web are held back, in whatever they stand, until they are asked for', () => {
  const url = 'https://x.example/open.gif?t=1';
  const bodies = [
    `<img src="${url}" alt="Logo" width="100">`,
    `<img srcset="${url} 2x" alt="Logo" width="100">`,
    `<picture><source srcset="${url}"><img src="${url}" alt="Logo" width="100"></picture>`,
    `<input type="image" src="${url}" alt="Logo" width="100">`,
  ];
  for (const body of bodies) {
    const held = cleanHtml(body, 'HELD');
    expect(held.html).toBe(`<img data-src="${url}" alt="Logo" width="100" />`);
    expect(held.changes.map(({ code }) => code)).toContain('REMOTE_PICTURE');
    expect(cleanHtml(body, 'SHOWN').html).toBe(`<img src="${url}" alt="Logo" width="100" />`);
    expect(cleanHtml(body, 'OMITTED').html).toBe('[Logo]');
  }
  for (const body of [
    `<table background="${url}"><td>x</table>`,
    `<p style="background:url('${url}')">x</p>`,
    `<ul style="list-style-image:url(${url})"><li>x</ul>`,
    `<style>p{background-image:url(${url})}</style><p>x`,
    `<video poster="${url}"></video>x`,
  ]) {
    const { html, text } = cleanHtml(body, 'HELD');
    expect(html).not.toContain('open.gif');
    expect(text).toContain('x');
  }
  expect(cleanHtml(`<img src="${url}" width=1 height=1>`, 'HELD')).toMatchObject({ html: '', blank: true });
});

test('a rule is passed over when what it applies to is not understood, and that is told', () => {
  const { text, changes } = cleanHtml(
    '<style>p:has(b){display:none}@container (width>1px){p{display:none}}</style><p><b>x</b></p>',
    'HELD',
  );
  expect(text).toBe('x');
  expect(changes).toMatchObject([{ code: 'STYLE', message: expect.stringContaining('p:has(b)') }]);
});
