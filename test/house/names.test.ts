import { expect, test } from 'vitest';
import { type Source, sourcesBelow } from './sources.ts';

/** Types of the stored operations have the schema's names, whatever src calls what they are read into. */
const generated = /\.generated\.ts$/;
const declaration = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|enum) ([A-Z]\w*)/gm;

/** Names that more than one file gives to a type, each with its files. */
function sharedNames(files: readonly Source[]): string[] {
  const homes = new Map<string, Set<string>>();
  for (const { path, text } of files.filter((file) => !generated.test(file.path)))
    for (const [, name] of text.matchAll(declaration))
      homes.set(name!, (homes.get(name!) ?? new Set()).add(path));
  return [...homes].flatMap(([name, paths]) => (paths.size > 1 ? [`${name}: ${[...paths].join(', ')}`] : []));
}

test('a type name has one meaning in all of src, exported or not', () => {
  expect(sharedNames(sourcesBelow('src'))).toEqual([]);
});

test.each(['export interface Reply {}', 'type Reply = string;', 'export abstract class Reply {}'])(
  'a second type of the same name is found: %s',
  (text) => {
    const files = [
      { path: 'src/legacy/reply.ts', text: '\nexport interface Reply {}' },
      { path: 'src/mail/planted.ts', text },
    ];
    expect(sharedNames(files)).toEqual(['Reply: src/legacy/reply.ts, src/mail/planted.ts']);
  },
);
