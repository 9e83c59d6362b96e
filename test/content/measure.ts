import { adversaries, refused } from './adversaries.ts';
import { type Measured, measureInThread } from './measuring.ts';

/* Prints the time and memory that bodies of 256 KiB, 1 MiB and 4 MiB take: `npm run bench:html`, with words of the names to choose. */

const sizes = [2 ** 18, 2 ** 20, 2 ** 22];
const words = process.argv.slice(2);
const chosen = Object.entries({ ...adversaries, ...refused }).filter(
  ([name]) => words.length === 0 || words.some((word) => name.includes(word)),
);
const print = (...cells: readonly string[]) =>
  process.stdout.write(
    `${cells[0]!.padEnd(50)}${cells
      .slice(1)
      .map((cell) => cell.padStart(12))
      .join('')}\n`,
  );

print('body', '256 KiB', '1 MiB', '4 MiB', 'growth', 'heap, MB', 'outcome');
let worst = 0;
for (const [name, make] of chosen) {
  const results: Measured[] = [];
  for (const size of sizes) results.push(await measureInThread(make(size)));
  const [, middle, last] = results;
  const growth = last!.milliseconds / Math.max(20, middle!.milliseconds);
  worst = Math.max(worst, growth);
  print(
    name,
    ...results.map(({ milliseconds }) => `${milliseconds.toFixed(0)} ms`),
    `× ${growth.toFixed(1)}`,
    (last!.heapBytes / 1e6).toFixed(0),
    last!.outcome,
  );
}
print(`The worst growth from 1 to 4 MiB: × ${worst.toFixed(1)} (× 4 is linear)`);
