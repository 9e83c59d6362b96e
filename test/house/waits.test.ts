import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/*
 * A test that bounds wall-clock time, or waits for a fixed time, fails on a busy machine and is slow on a
 * quiet one. Wait for an event, or look for it with `eventually` or `expect.poll`; count work, measure this
 * process's own CPU, or compare two things side by side. Code that needs the time says why in the line above:
 * `// Clock: …`.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
/** Commands of their own, which print what they measured. */
const measuring = [
  'install',
  'proxy',
  'trace',
  'bench',
  'crash',
  'clients',
  'corpus',
  'amplification',
  'axe',
  'openapi',
];
const forbidden = [
  /from 'node:timers\/promises'/,
  /\bsetTimeout\(/,
  /\bwaitForTimeout\(/,
  /\bperformance\.now\(/,
  /expect\(Date\.now\(\) - /,
  /\bpoll\(.*timeout:/,
  // A minute and more is against what hangs.
  /\btimeout: \d{1,2}_?\d{3}\b/,
];
const reason = /^\s*\/\/ Clock: \S/;

/** Lines that know the time, with whether they say why. */
function clocksIn(text: string): { line: string; says: boolean }[] {
  const lines = text.split('\n');
  return lines.flatMap((line, n) =>
    forbidden.some((pattern) => pattern.test(line)) ? [{ line, says: reason.test(lines[n - 1] ?? '') }] : [],
  );
}

const files = globSync('**/*.ts', { cwd: root })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => !measuring.includes(file.split('/')[0]!) && file !== 'house/waits.test.ts');

test('no test waits for a fixed time or bounds one without saying why, and few say so', () => {
  const found = files.flatMap((file) =>
    clocksIn(readFileSync(`${root}/${file}`, 'utf8')).map((clock) => ({ file, ...clock })),
  );
  expect(found.filter(({ says }) => !says)).toEqual([]);
  // Adding a use of the clock changes this number.
  expect(found.map(({ file }) => file)).toHaveLength(12);
});

test.each([
  "import { setTimeout as sleep } from 'node:timers/promises';",
  'await new Promise((resolve) => setTimeout(resolve, 300));',
  'await page.waitForTimeout(500);',
  'expect(performance.now() - startedAt).toBeLessThan(2000);',
  'expect(Date.now() - began).toBeLessThan(1000);',
  'await expect.poll(state, { timeout: 5000 }).toBe(1);',
  'timeout: 25_000,',
])('a planted line is caught: %s', (line) => {
  expect(clocksIn(`const a = 1;\n  ${line}\n`)).toEqual([{ line: `  ${line}`, says: false }]);
  expect(clocksIn(`// Clock: a reason\n  ${line}\n`)).toEqual([{ line: `  ${line}`, says: true }]);
});
