import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { settingsDocuments } from '../../src/settings/write-documentation.ts';
import { blocksOf, readDocuments } from './blocks.ts';

const root = new URL('../../', import.meta.url);
const documents = await readDocuments();

test('the tables of settings are what "npm run settings" writes', async () => {
  for (const { path, now, wanted } of await settingsDocuments()) expect(now, path).toBe(wanted);
});

/** As GitHub names a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const anchorsIn = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => anchorOf(heading!));

test.each(documents)('every link of $path leads somewhere', ({ path, text }) => {
  const dead = [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link!)
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const target = new URL(link, new URL(path, root));
      const [file, anchor] = [fileURLToPath(target).slice(fileURLToPath(root).length), target.hash.slice(1)];
      if (!existsSync(new URL(file, root))) return true;
      const read = documents.find((document) => document.path === file);
      return anchor !== '' && read !== undefined && !anchorsIn(read.text).includes(anchor);
    });
  expect(dead).toEqual([]);
});

test('every set-up in FRONTENDS.md is a file that test:clients runs, and every such file is in it', () => {
  const { text } = documents.find(({ path }) => path === 'docs/FRONTENDS.md')!;
  const files = globSync('test/clients/frontends/*.js', { cwd: root }).map((file) =>
    readFileSync(new URL(file, root), 'utf8'),
  );
  const blocks = blocksOf(text, 'js').filter((block) => block.startsWith('/*'));
  expect(blocks.sort()).toEqual(files.sort());
  expect(files.length).toBeGreaterThan(6);
});
