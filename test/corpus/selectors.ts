import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { openBrowser } from './browser.ts';

/*
 * Hides each of ten elements by many selectors, and compares with what Chromium hides: `npm run
 * test:selectors`.
 */

const page =
  '<body class="top" lang="en"><div id="a" class="box one"><p class="x y" title="T1">E1</p>' +
  '<p class="y">E2</p><span data-n="abc def">E3</span>\n' +
  '<p lang="de-AT">E4</p></div><div id="b"><ul><li>E5</li><li class="x">E6<b></b></li><li>E7</li>' +
  '<li DIR="RTL">E8</li></ul><input type="checkbox" checked id="c"><a href="https://x.example">E9</a>' +
  '<h2>E10</h2><em></em></div></body>';

const selectors = [
  ...[
    'p',
    '.x',
    '#a',
    'P.x',
    '*',
    'p, li',
    'p , .x',
    'li.x',
    '.x.y',
    'p.x.z',
    '[title]',
    '[title=T1]',
    '[title="t1"]',
    '[title="t1" i]',
  ],
  ...[
    '[data-n~=def]',
    '[data-n^="abc"]',
    '[data-n$=def]',
    '[data-n*="c d"]',
    '[data-n|=abc]',
    '[data-n^=""]',
    '[lang|=de]',
    '[dir=rtl]',
    '[DIR="rtl"]',
  ],
  ...[
    'p:first-child',
    'p:last-child',
    'li:nth-child(2)',
    'li:nth-child(odd)',
    'li:nth-child( even )',
    'li:nth-child(2n + 1)',
    'li:nth-child(-n+2)',
  ],
  ...[
    'li:nth-child(n+3)',
    'li:nth-last-child(1)',
    'p:nth-of-type(2)',
    'p:nth-last-of-type(2)',
    'p:last-of-type',
    'h2:only-of-type',
    ':only-child',
  ],
  ...[
    'li:nth-child(0n+3)',
    'li:nth-child(+3)',
    'li:nth-child(-2)',
    'li:nth-child(3n-1)',
    'p:not(.x)',
    'p:not(.x, .y)',
    'li:not(:first-child)',
    'p:not(.box > .x)',
  ],
  ...[
    'p:is(.x, .q)',
    'p:where(.y)',
    ':is(div, ul) > li',
    'p + p',
    'p ~ p',
    'p ~ span',
    'p+span',
    'h2 ~ em',
    '.x + *',
    'div > p',
    'div>p',
    'body > p',
  ],
  ...[
    'div div p',
    '.one p',
    '.top .one > p ~ span',
    '#a > .x + .y',
    'ul li:last-child',
    ':root p',
    'html > body p',
    '#c:checked ~ h2',
    '#c:not(:checked) ~ h2',
  ],
  ...[
    'a:link',
    'a:visited',
    'a:hover',
    'p::first-line',
    'p:before',
    'p::after',
    'p:empty',
    'p:lang(de)',
    'p:lang(en)',
    ':lang(en) > li',
    'p:unknown',
    'p, p:unknown',
  ],
  ...[
    'p >',
    '> p',
    'p,, li',
    'p..x',
    'p::-webkit-foo, li',
    'p::-moz-foo, li',
    'p:-moz-any(.x), li',
    'u + #b li',
    'body.top #b>ul>li+li',
    'div:nth-child(2) li',
  ],
  ...[
    '.\\78 ',
    'p.\\79',
    '#\\61',
    '[title="T1"',
    'p[',
    'li:nth-child(',
    'p:not()',
    'p:not(.x',
    '\\70',
    'li:NTH-CHILD(2)',
    'P:First-Child',
    'p:first-child:last-child',
  ],
  ...[
    'div :not(p)',
    '* + *',
    '* > * > *',
    'div *',
    ':not(div)>p',
    'p/**/.x',
    'div/**/p',
    'li:not(.x):not(:first-child)',
    ':scope p',
    ':nth-child(2):nth-last-child(3)',
  ],
];

/** Whole sheets: media, groups, rules in rules, order. */
const sheets = [
  ...[
    '@media screen{p{H}}',
    '@media print{p{H}}',
    '@media (max-width:600px){p{H}}',
    '@media (min-width:600px){p{H}}',
    '@media not print{p{H}}',
    '@media not all{p{H}}',
  ],
  ...[
    '@media only screen and (min-width:600px) and (max-width:2000px){p{H}}',
    '@media print, screen{p{H}}',
    '@media (width >= 600px){p{H}}',
    '@media (400px <= width <= 700px){p{H}}',
  ],
  ...[
    '@media (prefers-color-scheme:dark){p{H}}',
    '@media (prefers-color-scheme: light){p{H}}',
    '@media not (prefers-color-scheme: dark){p{H}}',
    '@media (orientation:landscape){p{H}}',
  ],
  ...[
    '@media screen and (-webkit-min-device-pixel-ratio:0){p{H}}',
    '@media (min-resolution:2dppx){p{H}}',
    '@media yahoo{p{H}}',
    '@media screen{@media (min-width:1px){p{H}}}',
    '@media (hover:hover){p{H}}',
  ],
  ...[
    '@media (min-width:40em){p{H}}',
    '@media (max-width:40em){p{H}}',
    '@media (min-width:1px) or (max-width:1px){p{H}}',
    '@media all and (transform-3d), (-webkit-transform-3d){p{H}}',
    '@media (color){p{H}}',
  ],
  ...[
    '@supports (display:grid){p{H}}',
    '@supports not (display:grid){p{H}}',
    '@supports (-ms-ime-align:auto){p{H}}',
    '@supports ((display:grid) and (not (-moz-appearance:none))){p{H}}',
  ],
  ...[
    '@font-face{font-family:x;src:url(x)}p{H}',
    '@import url("x.css");p{H}',
    '@charset "utf-8";p{H}',
    '@keyframes x{from{opacity:0}to{opacity:1}}p{H}',
    '@layer a{p{H}}',
    '@page{margin:1px}li{H}',
  ],
  ...[
    '.box{color:red;p{H}}',
    '.box{color:red;.x{H}}',
    '.box{& > p{H}}',
    'p{&.x{H}}',
    'li{.y &{H}}',
    '.box{@media (min-width:1px){H}}',
    '.box{@media print{H}}',
    '#b{ul{li{H}}}',
    'p{color:red;&:first-child{H}}',
  ],
  ...[
    'p{H}p{display:block}',
    'p{display:none!important}p{display:block}',
    '.x{H}p{display:block}',
    'p{display:block}.x{H}',
    '#a p{display:block}.x{H}',
    'p:where(.x){H}p{display:block}',
    'p:not(#q){H}.x{display:block}',
  ],
  ...[
    'p{content:"}";H}',
    'p{content:"{";H}li{H}',
    '<!-- p{H} -->',
    'p{H',
    '}p{H}',
    'p{color:red;}}li{H}',
    '@media screen{p{H}',
    '/* p{H} */ li{H}',
    'p{H;;color:red}',
    '.a\\{b{H}p{H}',
    'p{background:url("a;b{c}");H}',
  ],
];
const bodies = [
  ...selectors.map((one) => `<style>${one}{display:none}</style>${page}`),
  ...sheets.map((one) => `<style>${one.replaceAll('H', 'display:none')}</style>${page}`),
];
await using browser = await openBrowser();
const { page: shown } = await browser.open({ scripts: false });
const wrong: string[] = [];
const words = (text: string) => (text.match(/\bE\d+/g) ?? []).join(' ');
for (const body of bodies) {
  await shown.setContent(`<!DOCTYPE html>${body}`);
  const expected = words(
    await shown.evaluate(() => (document.body.checkVisibility() ? document.body.innerText : '')),
  );
  const { text, changes } = cleanHtml(body, 'HELD');
  const unknown = changes.some(({ code }) => code === 'STYLE') ? ' (said to be unknown)' : '';
  if (words(text) !== expected)
    wrong.push(
      `${body.slice(0, body.indexOf('</style>'))}\n  Chromium: ${expected}\n  read:     ` +
        `${words(text)}${unknown}`,
    );
}
process.stdout.write(
  `${bodies.length} style sheets, ${wrong.length} not as in Chromium\n${wrong.join('\n')}\n`,
);
if (wrong.length > 0) process.exitCode = 1;
