import { describe, expect, test } from 'vitest';
import { UnreadableBody } from '../../src/content/dom/tree.ts';
import { cleanHtml } from '../../src/content/html/clean-html.ts';
import { plainTextToHtml } from '../../src/content/plain-text-to-html.ts';
import { sampled, soaking } from '../support/soak.ts';
import { adversaries, refused } from './adversaries.ts';

const small = soaking ? 16_384 : 8192;
/** Sixteen times the size: quadratic work would take 256 times as long. */
const large = 16 * small;

/** Milliseconds of the process's CPU. */
function cost(work: () => unknown): number {
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
}

/**
 * The least of some runs, because others use the machine too. Once a run costs less than `enough`, the rest
 * could change nothing.
 */
function leastCost(work: () => unknown, enough: number, runs = 3): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs && least >= enough; run += 1) least = Math.min(least, cost(work));
  return least;
}

/** Below so many milliseconds a measurement says little. */
const leastMs = 40;

/** Expects the larger work to cost less than so many times the smaller. */
function expectGrowthBelow(times: number, smaller: () => unknown, larger: () => unknown): void {
  const bound = times * Math.max(leastCost(smaller, leastMs, soaking ? 3 : 1), leastMs);
  expect(leastCost(larger, bound)).toBeLessThan(bound);
}

/** The work is too short to be measured once. */
const sixteenTimes = (work: () => unknown) => (): void => {
  for (let run = 0; run < 16; run += 1) work();
};

describe('a body takes time linear in its size', () => {
  test.each(sampled(Object.entries(adversaries), 20))('%s', (_, make) => {
    const [one, sixteen] = [make(small), make(large)];
    cleanHtml(one, 'HELD');
    expectGrowthBelow(
      5,
      sixteenTimes(() => cleanHtml(one, 'HELD')),
      () => cleanHtml(sixteen, 'HELD'),
    );
  });

  test.each(sampled(Object.entries(refused), 3))('or is refused before: %s', (_, make) => {
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
  test.each(sampled(pieces, 12))('text of %s', (piece) => {
    const [one, sixteen] = [small, large].map((size) => piece.repeat(size / piece.length)) as [
      string,
      string,
    ];
    plainTextToHtml(one);
    expectGrowthBelow(
      5,
      sixteenTimes(() => plainTextToHtml(one)),
      () => plainTextToHtml(sixteen),
    );
  });
});

test('what is nested too deep for a browser is shown less deep, with all of its text', () => {
  const { html, text } = cleanHtml(`${'<div><i>'.repeat(soaking ? 50_000 : 10_000)}x`, 'HELD');
  expect(html.match(/<div>/g)!.length).toBeLessThanOrEqual(500);
  expect(text).toBe('x');
});

test('nested elements are refused after the same work, however many follow', () => {
  const refuse = (body: string) => () =>
    expect(() => cleanHtml(body, 'HELD')).toThrow('nests more than 131072 elements');
  expectGrowthBelow(3, refuse('<b>'.repeat(2 ** 17 + 9)), refuse('<b>'.repeat(2 ** 20)));
});
