/**
 * Bodies that make a parser, a style sheet or a writer work more than they seem to; each of about so many
 * characters.
 */
const times = (piece: string) => (size: number) => piece.repeat(Math.ceil(size / piece.length));
const numbered = (piece: (n: number) => string) => (size: number) => {
  const parts: string[] = [];
  for (let length = 0, n = 0; length < size; n += 1) {
    parts.push(piece(n));
    length += parts.at(-1)!.length;
  }
  return parts.join('');
};
const halves = (first: (size: number) => string, second: (size: number) => string) => (size: number) =>
  first(size / 2) + second(size / 2);
const between = (before: string, piece: string, after: string) => (size: number) =>
  before + times(piece)(size) + after;

export const adversaries: Readonly<Record<string, (size: number) => string>> = {
  'plain text': times('word '),
  'a newsletter': times(
    '<table width="600"><tr><td style="font:12px Arial;color:#333333"><p class="a">Hello ' +
      '<b>you</b></p></td></tr></table>\n',
  ),
  'nested div': times('<div>'),
  'nested b': times('<b>'),
  'nested p and div': times('<p><div>'),
  'nested lists': times('<ul><li>x'),
  'nested quotations': times('<blockquote>x<br>'),
  'nested tables': times('<table><tr><td>x'),
  'nested fonts in paragraphs': times('<p><font color=red>x'),
  'unclosed links': numbered((n) => `<a href=//x/${n}>x`),
  'bold and blocks closed crosswise': times('<b><p>x</b>y</p>'),
  'many bolds around one block': halves(
    times('<b>'),
    (size) => `<p>${times('x<i>y</i>')(size / 2)}${times('</b>')(size / 2)}`,
  ),
  'end tags': times('</p>'),
  'end tags of nothing': times('</b></i></a></x>'),
  'end tags below many elements': halves(times('<span>'), times('</b></table></li>')),
  'text in a table': times('<table>x'),
  'text and cells in turn': between('<table>', 'x<tr><td>y</td></tr>', ''),
  'formatting in a table': between('<table>', '<b>x', ''),
  'less-than signs': times('<'),
  comments: times('<!--'),
  'comments of one kind and another': times('<!--x--><!x><?y>'),
  ampersands: times('&'),
  entities: times('&notit;&ampx&#38;'),
  'one tag of many attributes': (size) => `<p ${numbered((n) => `a${n}=1 `)(size)}>x`,
  'one tag of one attribute again and again': (size) => `<p ${times('a=1 ')(size)}>x`,
  'bodies with attributes': numbered((n) => `<body a${n}=1>`),
  'one long style': (size) => `<p style="${times('color:red;')(size)}">x`,
  'one long number in a style': (size) => `<p style="zoom:${times('0')(size)}x">x`,
  'one long style of brackets': (size) => `<p style="${times('a:((')(size)}">x`,
  'one long class': (size) => `<style>.a{color:red}</style><p class="${numbered((n) => `a${n} `)(size)}">x`,
  'open scripts': times('<script>'),
  'select and options': times('<select><option>x'),
  templates: times('<template>x'),
  'svg in svg': times('<svg><g>'),
  'math with html in it': times('<math><mtext><p>x'),
  'math in math': between('<math>', '<msqrt><mrow><mfrac><mi>x</mi><mrow>', ''),
  'style sheets': numbered((n) => `<style>.a${n}{color:red}</style><p class=a${n}>x`),
  'comments in a style sheet': (size) => `<style>${times('/*')(size)}</style>x`,
  'comments between words of a style sheet': (size) => `<style>${times('a/**/')(size)}</style>x`,
  'comments between values': (size) => `<p style="${times('a:1/**/2;')(size)}">x`,
  'braces in a style sheet': (size) => `<style>${times('a{{')(size)}</style>x`,
  blanks: times(' '),
  'blanks before text': between('<p>x', ' ', 'y'),
  'blanks in lines': times('x                     \n'),
  'words in bold': times('<b>x</b>'),
  superscripts: times('x<sup>2</sup>'),
  'hidden elements': times('<i hidden>x<i hidden>'),
  links: times('<a href="https://x.example/">x</a>'),
  pictures: times('<img src="https://x.example/a.png">'),
  'one pasted picture': (size) => `<img src="data:image/png;base64,iVBORw0KGgo${'A'.repeat(size)}">`,
  'many pasted pictures': numbered(
    (n) => `<img src="data:image/gif;base64,R0lGODlh${String(n).padStart(8, '0')}">`,
  ),
  'line breaks': times('<br>'),
  'preformatted lines': between('<pre>', 'x\n', '</pre>'),
};

/** These are refused: they would be built or worked on far more than they are long. */
export const refused: Readonly<Record<string, (size: number) => string>> = {
  'fonts that differ, in paragraphs': numbered((n) => `<p><font size=${n}>x`),
  'rules for everything, and everything': halves(
    (size) => `<style>${times('* * *{color:red}')(size)}</style>`,
    times('<p>x'),
  ),
  'a long rule for everything': halves(
    (size) =>
      `<style>p{${times('font-family:arial;')(10)}margin:1px;font-family:${'a'.repeat(190)}}` +
      `${' '.repeat(size - 400)}</style>`,
    times('<p>x'),
  ),
};

/** More kinds, which `npm run bench:html` alone measures: the tests are to be short. */
export const further: Readonly<Record<string, (size: number) => string>> = {
  'long words': times(`${'w'.repeat(5000)} `),
  'one long word': times('w'),
  'long links': numbered((n) => `<a href="https://x.example/${'p'.repeat(2000)}${n}">link ${n}</a> `),
  'rows of styled cells': times(
    '<tr><td style="border:1px solid #ccc;padding:2px 4px" width=10%><font face=Arial ' +
      'size=2>1</font></td></tr>',
  ),
  'children by their places': (size) =>
    '<style>p:nth-child(3n+1):not(:last-of-type),i:only-child,b:empty{color:red}</style>' +
    `${times('<p>x')(size)}`,
  'one sibling after another': (size) =>
    `<style>p + p{color:red}h1 ~ b{color:red}</style>${times('<p>x')(size)}`,
  'rules in rules': (size) => `<style>${times('.a{color:red;&:hover{b{')(size)}</style><p class=a>x`,
  'selectors of many parts': (size) =>
    `<style>${times('.a > .b .c:not(.d, .e) ~ [f^=g] + h,')(size)} i{}</style><p class=a>x`,
  'media queries': (size) =>
    `<style>${times('@media not screen and (width > 6px){p{color:red}}')(size)}</style><p>x`,
  'all siblings of each': (size) => `<style>p ~ b{color:red}</style>${times('<b>x</b>')(size)}`,
};
