import { expect, test } from 'vitest';
import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { reported } from './reported.ts';

test.each(reported)('what was reported elsewhere is read here: %s', (_, html, text) => {
  const once = cleanHtml(html, 'HELD');
  expect(once).toMatchObject({ text, blank: false });
  expect(cleanHtml(once.html, 'HELD').html).toBe(once.html);
});
