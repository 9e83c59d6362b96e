import { expect, test } from 'vitest';
import { cleanHtml } from '../../../src/content/html/clean-html.ts';

/** What a reader sees of white letters when what was behind them is dropped. */
test.each([
  ['a picture', '<p style="background:url(https://x.example/a.png);color:#fff">Hi</p>', 'black'],
  ['a picture of an attribute', '<table background="a.png"><tr><td style="color:#eee">Hi', 'black'],
  ['a gradient', '<p style="background:linear-gradient(90deg,#667eea,#764ba2);color:#fff">Hi</p>', 'black'],
  ['an unknown colour', '<p style="background:oklch(.3 .1 260);color:white">Hi</p>', 'black'],
  ['the value of a field', '<p style="background:url(a.png);color:#fff"><input value=Hi>', 'black'],
  ['yellow letters', '<p style="background:url(a.png);color:gold">Hi</p>', 'black'],
  ['unknown letters on navy', '<p style="background:navy"><b style="color:var(--light)">Hi</b></p>', 'white'],
])('text is written in a colour that can be read: %s', (_, body, colour) => {
  const { html, text } = cleanHtml(body, 'HELD');
  expect(html).toContain(`<span style="color:${colour}">Hi</span>`);
  expect(text).toBe('Hi');
  // Nothing is left to mend when it is cleaned again, as in a reply's quotation.
  expect(cleanHtml(html, 'HELD').html).toBe(html);
});

test.each([
  ['on a colour beside the picture', '<p style="background:url(a.png) #223;color:white">Hi</p>'],
  [
    'on a colour above the picture',
    '<div style="background:url(a.png);color:#fff"><p style="background:#000">Hi</p></div>',
  ],
  ['dark letters on a picture', '<p style="background:url(a.png);color:#333">Hi</p>'],
  ['no picture', '<p style="background:navy;color:#fff">Hi</p>'],
])('text that can be read keeps its colour: %s', (_, body) => {
  expect(cleanHtml(body, 'HELD').html).not.toContain('<span');
});
