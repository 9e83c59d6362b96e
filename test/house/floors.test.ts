import { expect, test } from 'vitest';
import { roomOf, rooms } from './rooms.ts';
import { circlesOf, functionsOf, importsOf, type Source, sourcesBelow, wideLines } from './sources.ts';

const src = sourcesBelow('src');
const all = [...src, ...sourcesBelow('test')];

/** Imports that the table does not allow. */
function violations(files: readonly Source[]): string[] {
  return files.flatMap((file) => {
    const from = roomOf(file.path);
    if (from === 'src') return [];
    return importsOf(file).flatMap((target) => {
      const to = roomOf(target);
      return to === from || rooms[from]?.includes(to) ? [] : [`${file.path} -> ${target}`];
    });
  });
}

test('a room imports those alone that the table gives it', () => {
  expect(violations(src)).toEqual([]);
});

test('the rooms have an order: none is below itself', () => {
  expect(circlesOf(new Map(Object.entries(rooms)))).toEqual([]);
});

test.each([
  ['src/tickets/planted.ts', '../graphql/schema/builder.ts'],
  ['src/legacy/planted.ts', '../tickets/policy.ts'],
  ['src/graphql/schema/planted.ts', '../../db/tables.ts'],
  ['src/mail/outbox/planted.ts', '../../tickets/policy.ts'],
  ['src/tickets/planted.ts', '../mail/worker/worker.ts'],
  ['src/http/planted.ts', '../db/tables.ts'],
  ['src/platform/errors.ts', '../app.ts'],
  ['src/http/planted.ts', '../app/web.ts'],
  ['src/new-folder/planted.ts', '../platform/errors.ts'],
])('an import that the table does not allow is found: %s of %s', (path, target) => {
  expect(violations([{ path, text: `import { x } from '${target}';` }])).toHaveLength(1);
});

test('no file reaches itself by its imports, types included', () => {
  expect(circlesOf(new Map(src.map((file) => [file.path, importsOf(file)])))).toEqual([]);
  expect(
    circlesOf(
      new Map([
        ['a', ['b']],
        ['b', ['c']],
        ['c', ['a']],
      ]),
    ),
  ).toEqual([['a', 'b', 'c']]);
});

test('main.ts, the command line and what builds or starts programs alone read the environment', () => {
  const readers = src.filter(({ text }) => /process\.env\b/.test(text)).map(({ path }) => path);
  // The cluster hands PATH on to the programs that it starts.
  const allowed = /^src\/(main\.ts|cli\/|dev\/explorer\/|dev\/embedded-postgres\/prepare-cluster\.ts)/;
  expect(readers.filter((path) => !allowed.test(path))).toEqual([]);
});

test('a folder has 15 files at most, the schema one for each type and mutation', () => {
  const counts = new Map<string, number>();
  for (const { path } of all) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  const large = [...counts].filter(([folder, count]) => count > (folder === 'src/graphql/schema' ? 24 : 15));
  expect(large).toEqual([]);
});

test('a line has 110 columns at most, in every language', () => {
  expect(wideLines()).toEqual([]);
});

test('a function of src has 60 lines at most', () => {
  // To parse them is most of the work, and a file of 60 lines has no longer function.
  const files = src.filter(({ text }) => text.split('\n').length > 60);
  const long = files.flatMap((file) =>
    functionsOf(file)
      .filter(({ lines }) => lines > 60)
      .map(({ name, lines }) => `${file.path} ${name}: ${lines}`),
  );
  expect(long).toEqual([]);
});
