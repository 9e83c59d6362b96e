import { expect, test } from 'vitest';
import { type Source, sourcesBelow } from './sources.ts';

/*
 * A word from outside that is looked up in an object also finds what every object inherits: `constructor`,
 * `toString`. So a table of words is a Map. One whose keys are a closed list of ours (`Record<ErrorCode, …>`)
 * may be an object.
 */

const declared = /\bconst (\w+): (?:\w+<)*Record<string, .*= (?:\{(?!\})|Object\.fromEntries)/g;
/** `{ odd: '2n+1' }[text]` */
const literal = /[\w'"`)],? \}\[[a-z]\w*/g;

const lookups = (files: readonly Source[]): string[] =>
  files.flatMap(({ path, text }) => {
    const names = [...text.matchAll(declared)].map(([, name]) => name!);
    const uses = names.flatMap((name) => [
      ...text.matchAll(new RegExp(String.raw`\b${name}\[(?!')|\bin ${name}\b|\bhasOwn\(${name}\b`, 'g')),
    ]);
    return [...uses, ...text.matchAll(literal)].map(([use]) => `${path}: ${use}`);
  });

test('a table in which words are looked up is a Map', () => {
  expect(lookups(sourcesBelow('src'))).toEqual([]);
});

test.each([
  'const sizes: Readonly<Record<string, number>> = {\n  small: 13,\n};\nconst size = sizes[value] ?? 16;',
  "const ticks: Record<string, string> = { checked: 'x' };\nconst tick = kind in ticks;",
  'const all: Readonly<Record<string, Test>> = Object.fromEntries(pairs);\nObject.hasOwn(all, name);',
  "const formula = { odd: '2n+1', even: '2n' }[text] ?? text;",
])('a planted lookup is found: %s', (text) => {
  expect(lookups([{ path: 'src/planted.ts', text }])).toHaveLength(1);
});
