import { expect, test } from 'vitest';
import { cleanHtml } from '../../../src/content/html/clean-html.ts';

/* CSS whose reading decides whether a text is seen, as browsers read it (CSS Syntax 3, CSS Color 4). */

const white = 'color:rgba(250,250,250,3)';
const onBlack = (style: string) => `<div style="${style}"><p style="color:#000">TEXT</p></div>`;

test.each([
  ['an opacity above one is one', `<p style="${white}">TEXT</p>`],
  ['as a percentage, too', '<p style="color:rgb(250 250 250 / 300%)">TEXT</p>'],
  ['of a background', onBlack('background-color:rgba(0,0,0,2)')],
  ['an opacity below zero is zero', '<p style="color:rgba(0,0,0,-1)">TEXT</p>'],
  ['a lightness above 100 % is white', '<p style="color:hsl(0 0% 150%)">TEXT</p>'],
  ['a lightness below 0 % is black', onBlack('background-color:hsl(0,0%,-50%)')],
  ['a comment begins outside of quotes alone', `<p style='font-family:"/*";display:none'>TEXT</p>`],
  [
    'so does one in a style sheet',
    '<style>b::before{content:"/*"}p{display:none}b::after{content:"*/"}</style><p>TEXT</p>',
  ],
  ['a quote in a comment is none', `<style>/* don't */p{display:none}</style><p>TEXT</p>`],
  ['a comment parts no selector', '<style>.a/**/.b/**/{display:none}</style><p class="a b">TEXT</p>'],
  ['nor a combinator', '<style>html>/**/body p{display:none}</style><p>TEXT</p>'],
  ['a comment parts words', '<p style="display/**/:/**/none/**/!/**/important">TEXT</p>'],
  ['in at-rules, too', '<style>@media/**/screen/**/and (hover){p{display:none}}</style><p>TEXT</p>'],
  ['an opacity may be a percentage', '<p style="opacity:.5%">TEXT</p>'],
  ['what is not valid overrides nothing', '<p style="visibility:hidden;visibility:seen">TEXT</p>'],
  ['nor does a word of no display', '<p style="display:none;display:shown">TEXT</p>'],
  ['nor one of an old browser', '<p style="display:none;display:-ms-flexbox">TEXT</p>'],
  ['nor a size', '<p style="font-size:0;font-size:large-ish">TEXT</p>'],
  ['nor a colour', '<p style="color:#fff;color:#12345">TEXT</p>'],
  ['nor an opacity', '<p style="opacity:0;opacity:1px">TEXT</p>'],
  ['nor a height', '<p style="max-height:0;max-height:-5px;overflow:hidden;overflow:seen">TEXT</p>'],
  ['nor a place', '<p style="position:absolute;left:-9999px;position:here">TEXT</p>'],
  ['nor does a hack for old browsers', '<p style="display:none;display:block\\9">TEXT</p>'],
  ['nor another’s filter', '<p style="opacity:0;opacity:alpha(opacity=90)">TEXT</p>'],
  ['nor another’s word', '<p style="display:none;display:-ms-grid">TEXT</p>'],
  ['nor a size below zero', '<p style="max-height:0;max-height:-1px;overflow:hidden">TEXT</p>'],
  ['nor one without a unit', '<p style="font-size:0;font-size:12">TEXT</p>'],
  ['nor a font without a family', '<p style="font-size:0;font:12px">TEXT</p>'],
  ['nor a colour of two digits', '<p style="color:#fff;color:#12">TEXT</p>'],
  ['nor a size without a unit', '<p style="max-height:0;max-height:12;overflow:hidden">TEXT</p>'],
  ['nor a size of two values', '<p style="height:0;height:0 0;overflow:hidden">TEXT</p>'],
  ['nor a colour of two numbers', '<p style="color:#fff;color:rgb(0 0)">TEXT</p>'],
  ['white is a colour', '<p style="color:white">TEXT</p>'],
  ['a lightness may be a number between blanks', '<p style="color:hsl(0 0 100)">TEXT</p>'],
  ['an opacity may have an exponent', '<p style="color:rgba(0,0,0,1e-3)">TEXT</p>'],
  ['an address has no comment', '<p style="background:url(//a.test/*b);display:none">TEXT</p>'],
  ['nor has one in a style sheet', '<style>b{background:url( //a.test/*)}p{display:none}</style><p>TEXT</p>'],
  ['a quote in quotes', `<style>p{content:'\\'/*';display:none}</style><p>TEXT</p>`],
  [
    'a comment before a bracket',
    '<style>@media screen and/**/(min-width:1px){p{display:none}}</style><p>TEXT</p>',
  ],
  ['a row that collapses', '<table><tr style="visibility:collapse"><td>TEXT</td></tr></table>'],
  ['what is in a column', '<p style="display:table-column">TEXT</p>'],
  ['a property has another name', '<p style="block-size:0;overflow-block:hidden">TEXT</p>'],
  ['so do places', '<p style="position:absolute;inset:auto auto auto -9999px">TEXT</p>'],
  ['so do margins', '<p style="margin-inline-start:-9999px">TEXT</p>'],
  ['a property scales', '<p style="scale:1 0">TEXT</p>'],
  ['a property moves', '<p style="translate:10px -9999px">TEXT</p>'],
  ['a zoom is tiny', '<p style="zoom:5%">TEXT</p>'],
  ['what is hidden on one axis is on both', '<p style="max-height:0;overflow:hidden visible">TEXT</p>'],
  ['an item of a box is one', '<p style="display:flex"><b style="max-height:0;overflow:hidden">TEXT</b></p>'],
  ['so is what floats', '<b style="float:left;height:0;overflow:hidden">TEXT</b>'],
  ['no background shows through', '<p style="color:transparent;background-clip:text">TEXT</p>'],
  ['nor one like the page', '<p style="color:transparent;background:#fff;background-clip:text">TEXT</p>'],
  ['a popover is closed', '<div popover>TEXT</div>'],
  ['a code ends with a blank', '<style>.\\31 a{display:none}</style><p class=1a>TEXT</p>'],
  ['a list forgives', '<style>p:is(:unheard-of,p){display:none}</style><p>TEXT</p>'],
  ['a drawing has a style sheet', '<svg><style>p{display:none}</style></svg><p>TEXT</p>', 'EMBEDDED'],
])('a text that a browser does not show is not shown: %s', (_, html, ...others: string[]) => {
  const { text, changes } = cleanHtml(html, 'HELD');
  expect(text).toBe('');
  expect(changes.map(({ code }) => code)).toEqual(['HIDDEN_TEXT', ...others]);
});

test.each([
  ['two halves of a word beside a comment are two words', '<p style="display:n/**/one">TEXT</p>'],
  ['so are those of a property', '<p style="dis/**/play:none">TEXT</p>'],
  ['and those of a selector', '<style>.a/* *//**/b{display:none}</style><p class="ab">TEXT</p>'],
  ['a comment is no blank in a selector', '<style>.a/**/.b{display:none}</style><p class=a><b class=b>TEXT'],
  ['what is in quotes is no comment', '<style>[title="a/*b*/c"]{display:none}</style><p title="ac">TEXT</p>'],
  ['a hack for old browsers is for these alone', '<p style="display:none\\9">TEXT</p>'],
  ['what is in brackets is no declaration', '<p style="a:[x;display:none;]">TEXT</p>'],
  ['nor what is in braces', '<p style="a:{x;display:none">TEXT</p>'],
  ['the marks of an HTML comment part words', '<style>p{dis<!--play:none}</style><p>TEXT</p>'],
  ['also before !important', '<p style="display:none\\9!important">TEXT</p>'],
  ['commas and blanks are not mixed', '<p style="color:rgb(255, 255 255)">TEXT</p>'],
  ['nor are numbers and percentages between commas', '<p style="color:rgb(255,255,100%)">TEXT</p>'],
  ['a lightness between commas is a percentage', '<p style="color:hsl(0,0,100)">TEXT</p>'],
  ['a part of an unknown height is not known', '<p style="max-height:0%;overflow:hidden">TEXT</p>'],
  ['also of an important one', '<style>p{display:none!important\\9}</style><p>TEXT</p>'],
  ['also of a property', '<p style="display\\9:none">TEXT</p>'],
  ['visibility knows few words', '<p style="visibility:seen">TEXT</p>'],
  ['and what it inherits', '<p style="visibility:unset">TEXT</p>'],
  ['a length of letters is not below zero', '<p style="font-size:-5px">TEXT</p>'],
  ['a height, neither', '<p style="height:-1px;overflow:hidden">TEXT</p>'],
  ['a zoom of zero is none', '<p style="zoom:0">TEXT</p>'],
  ['a font has a family', '<p style="font:0">TEXT</p>'],
  ['a no-break space is a letter', '<p style="display:&nbsp;none">TEXT</p>'],
  ['also behind a word', '<p style="display:none&nbsp;">TEXT</p>'],
  ['a comment makes no function', '<style>p:not/**/(.a){display:none}</style><p>TEXT</p>'],
  [
    'what collapses outside of tables may have a visible part',
    '<div style="visibility:collapse"><p style="visibility:visible">TEXT</p></div>',
  ],
  ['an opacity is a number and nothing else', '<p style="opacity:0 !ie">TEXT</p>'],
  ['an opacity above one hides nothing', '<p style="opacity:7;color:rgba(0,0,0,5)">TEXT</p>'],
  ['a cell is as high as its content', '<table><td style="height:0;overflow:hidden">TEXT</table>'],
  ['and so is a table', '<table style="max-height:0;overflow:hidden"><td>TEXT</table>'],
  ['a word in a line has no height', '<span style="max-height:0;overflow:hidden">TEXT</span>'],
  ['nor has an element that is not known', '<o:p style="height:0;overflow:hidden">TEXT</o:p>'],
  ['the least height counts', '<p style="height:0;min-height:20px;overflow:hidden">TEXT</p>'],
  ['a mark is yellow', '<p style="color:#fff"><mark>TEXT</mark></p>'],
  ['whatever its letters are', '<mark style="color:#fff">TEXT</mark>'],
  ['on a colour that is not known here', '<p style="background:oklch(0 0 0);color:#fff">TEXT</p>'],
  ['or is in a variable', '<p style="background-color:var(--primary, #000);color:#fff">TEXT</p>'],
  ['of a colour that is not known here', '<p style="background:#000;color:oklch(1 0 0)">TEXT</p>'],
  ['on the lowest of several backgrounds', '<p style="background:none,#000;color:#fff">TEXT</p>'],
  ['of the first colour again', '<div style="color:#fff"><p style="color:initial">TEXT</p></div>'],
  ['only tables have an attribute for the background', '<div bgcolor="black">TEXT</div>'],
  ['a dialog that is displayed', '<dialog style="display:block">TEXT</dialog>'],
  ['a background that is none', '<p style="background:#000;color:#fff;background:unheard">TEXT</p>'],
  ['visible in what is collapsed', '<p style="visibility:collapse"><b style="visibility:visible">TEXT</b>'],
  ['an id does not begin with a digit', '<style>#1a{display:none}</style><p id=1a>TEXT</p>'],
  ['a part that no browser knows', '<style>p,::unheard-of{display:none}</style><p>TEXT</p>'],
  ['plain text is no style sheet', '<style type="text/plain">p{display:none}</style><p>TEXT</p>'],
])('a text that a browser shows is shown: %s', (_, html) => {
  expect(cleanHtml(html, 'HELD')).toMatchObject({ text: 'TEXT', changes: [] });
});

test('letters that show the background through are shown in its colour', () => {
  const gradient = 'background:linear-gradient(red,blue);-webkit-text-fill-color:transparent';
  const plain = 'background:red;color:transparent';
  expect(cleanHtml(`<p style="${gradient};-webkit-background-clip:text">a</p>`, 'HELD')).toMatchObject({
    html: '<p>a</p>',
    changes: [],
  });
  expect(cleanHtml(`<p style="${plain};background-clip:text">a</p>`, 'HELD')).toMatchObject({
    html: '<p style="color:red">a</p>',
    changes: [],
  });
});

test('a button has letters of its own', () => {
  const html = '<p style="color:#fff;font-size:0"><button>TEXT</button></p>';
  expect(cleanHtml(html, 'HELD').text).toContain('TEXT');
});

test('values on both sides of a comment are two', () => {
  const style = 'border:1px/**/solid;margin:0/* above */5px';
  const sheet = '<style>p{border:1px/**/solid;color:rgb(1,2,3)/**/}</style>';
  expect(cleanHtml(`<p style="${style}">a</p>`, 'HELD').html).toBe(
    '<p style="border:1px solid;margin:0 5px">a</p>',
  );
  expect(cleanHtml(`${sheet}<p>a</p>`, 'HELD').html).toBe(
    '<p style="border:1px solid;color:rgb(1,2,3)">a</p>',
  );
});
