import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const at = (path: string) => new URL(`../../${path}`, import.meta.url);
const read = (path: string) => readFileSync(at(path), 'utf8');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

/** What a row of docs/CASES.md names that is not there: tests by the words of their titles, and commands. */
function missing(shownBy: string): string[] {
  const commands = [...shownBy.matchAll(/`npm run ([\w:-]+)[^`]*`/g)].map(([, name]) => name!);
  const tests = [...shownBy.matchAll(/`(test\/[^`]+)`: ([^;]+?)(?=\s*$|;|\. )/g)];
  if (commands.length + tests.length === 0) return ['nothing at all'];
  return [
    ...commands.filter((name) => scripts[name] === undefined),
    ...tests
      .filter(([, path, words]) => !existsSync(at(path!)) || !read(path!).includes(words!))
      .map(([named]) => named),
  ];
}

const rows = read('docs/CASES.md').matchAll(/^\| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm);
const cases = [...rows].map(([, number, title, shownBy]) => ({ number, title, shownBy: shownBy! }));

test('docs/CASES.md has each of the sixty cases once, and what it names is there', () => {
  expect(cases.map(({ number }) => Number(number))).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
  expect(
    cases.flatMap(({ number, shownBy }) => missing(shownBy).map((name) => `${number}: ${name}`)),
  ).toEqual([]);
});

/** The lines of each report that the table has. */
const reported = {
  running: [...Array.from({ length: 15 }, (_, n) => n + 1), 18, 19, 20, 21, 22, 23, 24, 25],
  security: [5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
  database: [4, 5, 6, 8, 9, 10],
};

test('docs/CASES.md has each reported line once, and what it names is there', () => {
  const lines = [...read('docs/CASES.md').matchAll(/^\| ([a-z]+) \| (\d+) \| [^|]+ \| ([^|]+) \|$/gm)];
  expect(lines.map(([, report, line]) => `${report} ${line}`)).toEqual(
    Object.entries(reported).flatMap(([report, all]) => all.map((line) => `${report} ${line}`)),
  );
  expect(
    lines.flatMap(([, report, line, shownBy]) =>
      missing(shownBy!).map((name) => `${report} ${line}: ${name}`),
    ),
  ).toEqual([]);
});

test('a test that was renamed, and a command that is gone, are found', () => {
  expect(missing('`test/house/cases.test.ts`: a test that was renamed')).toEqual([]);
  expect(missing('`test/house/cases.test.ts`: no such words' + ' here')).toHaveLength(1);
  expect(missing('`test/house/gone.test.ts`: a test; `npm run test:gone`')).toHaveLength(2);
  expect(missing('by looking')).toEqual(['nothing at all']);
});
