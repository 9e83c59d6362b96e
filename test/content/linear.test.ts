import { describe, expect, test } from 'vitest';
import { UnreadableBody } from '../../src/content/dom/tree.ts';
import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { plainTextToHtml } from '../../src/content/plain-text-to-html.ts';
import { sampled, soaking } from '../support/soak.ts';
import { adversaries, refused } from './adversaries.ts';

const small = soaking ? 16_384 : 8192;
/** Sixteen times the size: quadratic work would take 256 times as long. */
const large = 16 * small;

/**
 * Milliseconds of the process's CPU, the least of a few runs of so much together: others use the machine too.
 */
function cost(work: () => unknown, runs: number): number {
  const costs = Array.from({ length: 3 }, () => {
    const begin = process.cpuUsage();
    for (let run = 0; run < runs; run += 1) work();
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  });
  return Math.min(...costs);
}

describe('a body takes time linear in its size', () => {
  test.each(sampled(Object.entries(adversaries), 9))('%s', (_, make) => {
    const [one, sixteen] = [make(small), make(large)];
    cleanHtml(one, 'HELD');
    const before = cost(() => cleanHtml(one, 'HELD'), 16);
    const after = cost(() => cleanHtml(sixteen, 'HELD'), 1);
    expect(after / Math.max(before, 40)).toBeLessThan(5);
  });

  test.each(Object.entries(refused))('or is refused before: %s', (_, make) => {
    expect(() => cleanHtml(make(large), 'HELD')).toThrow(UnreadableBody);
  });

  const pieces = [
    'http://',
    'http://a(',
    'a@',
    '@',
    'a.',
    'mailto:',
    'http://x.org/a,',
    '://',
    '中http://a',
    ' ',
    '//a.b/',
  ];
  test.each(sampled(pieces, 6))('text of %s', (piece) => {
    const [one, sixteen] = [small, large].map((size) => piece.repeat(size / piece.length)) as [
      string,
      string,
    ];
    plainTextToHtml(one);
    const before = cost(() => plainTextToHtml(one), 16);
    const after = cost(() => plainTextToHtml(sixteen), 1);
    expect(after / Math.max(before, 40)).toBeLessThan(5);
  });
});

test('what is nested too deep for a browser is shown less deep, with all of its text', () => {
  const { html, text } = cleanHtml(`${'<div><i>'.repeat(50_000)}x`, 'HELD');
  expect(html.match(/<div>/g)!.length).toBeLessThanOrEqual(500);
  expect(text).toBe('x');
});

test('nested elements are refused after the same work, however many follow', () => {
  const refuse = (body: string) => () =>
    expect(() => cleanHtml(body, 'HELD')).toThrow('nests more than 131072 elements');
  const one = cost(refuse('<b>'.repeat(2 ** 18)), 1);
  const eight = cost(refuse('<b>'.repeat(2 ** 21)), 1);
  expect(eight / Math.max(one, 40)).toBeLessThan(3);
});
