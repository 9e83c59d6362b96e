import { stdout } from 'node:process';
import { roomOf, rooms } from './rooms.ts';
import { circlesOf, functionsOf, importsOf, type Source, sourcesBelow, wideLines } from './sources.ts';

/**
 * `npm run drawing`: prints which room imports which, circles, files in each folder, the longest file
 * and function, and lines over 110 columns. `test/house/floors.test.ts` checks the bounds.
 */
const say = (line = '') => stdout.write(`${line}\n`);
const src = sourcesBelow('src');
const all = [...src, ...sourcesBelow('test')];
const imports = new Map(src.map((file) => [file.path, importsOf(file)]));

say('room: files, lines -> rooms that it imports (how many imports)');
for (const room of Object.keys(rooms)) {
  const files = src.filter(({ path }) => roomOf(path) === room);
  const arrows = new Map<string, number>();
  for (const { path } of files) {
    for (const target of imports.get(path)!) {
      const to = roomOf(target);
      if (to !== room) arrows.set(to, (arrows.get(to) ?? 0) + 1);
    }
  }
  const lines = files.reduce((sum, { text }) => sum + linesOf(text), 0);
  const told = [...arrows].sort((a, b) => b[1] - a[1]).map(([to, count]) => `${to} (${count})`);
  say(`${room}: ${files.length}, ${lines} -> ${told.join(', ') || '-'}`);
}

say();
say(`circles: ${circlesOf(imports).length}`);
for (const circle of circlesOf(imports)) say(`  ${circle.join(' <-> ')}`);

say();
say('most files in a folder');
for (const [folder, count] of foldersOf(all).slice(0, 8)) say(`  ${count} ${folder}`);

say('longest files of src');
const longest = src.map(({ path, text }) => [linesOf(text), path] as const).sort((a, b) => b[0] - a[0]);
for (const [lines, path] of longest.slice(0, 5)) say(`  ${lines} ${path}`);

say('longest functions of src');
const functions = src.flatMap((file) => functionsOf(file).map((one) => ({ ...one, path: file.path })));
functions.sort((a, b) => b.lines - a.lines);
for (const { lines, path, line, name } of functions.slice(0, 5)) say(`  ${lines} ${path}:${line} ${name}`);

say(`lines over 110 columns: ${wideLines().length}`);

function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

function foldersOf(files: readonly Source[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { path } of files) {
    const folder = path.slice(0, path.lastIndexOf('/'));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]);
}
