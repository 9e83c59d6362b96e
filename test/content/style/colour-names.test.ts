import { expect, test } from 'vitest';
import { cleanHtml } from '../../../src/content/html/clean-html.ts';
import { parseColour } from '../../../src/content/style/colours.ts';

test.each([
  ['white', '#ffffff'],
  ['snow', '#fffafa'],
  ['gainsboro', '#dcdcdc'],
  ['lemonchiffon', '#fffacd'],
  ['blanchedalmond', '#ffebcd'],
  ['navajowhite', '#ffdead'],
  ['paleturquoise', '#afeeee'],
  ['yellow', '#ffff00'],
  ['aqua', '#00ffff'],
  ['beige', '#f5f5dc'],
  ['window', '#ffffff'],
  ['canvastext', '#000000'],
])('the colour %s is %s', (name, digits) => {
  expect(parseColour(name)).toEqual(parseColour(digits));
  expect(parseColour(digits)).toBeDefined();
});

test('white letters are seen on black alone, however white is written', () => {
  for (const white of ['white', 'White', '#fff', '#FFFFFF']) {
    const letters = `<font color="${white}">TEXT</font>`;
    const onBlack = `<table bgcolor="black"><tr><td>${letters}</td></tr></table>`;
    expect(cleanHtml(onBlack, 'HELD')).toMatchObject({ text: 'TEXT', changes: [] });
    expect(cleanHtml(letters, 'HELD')).toMatchObject({ text: '', changes: [{ code: 'HIDDEN_TEXT' }] });
  }
  const styled = '<p style="background:#036;color:white">TEXT</p>';
  expect(cleanHtml(styled, 'HELD').html).toBe('<p style="background-color:#036;color:white">TEXT</p>');
});
