import { parseArgs } from 'node:util';
import { readBody } from '../../src/content/read-message-body.ts';
import { composeMail } from '../../src/mail/compose/compose-mail.ts';
import type { MailParts } from '../../src/mail/compose/mail-parts.ts';
import { previewMail } from '../../src/mail/compose/preview-mail.ts';
import { mailPartsOf } from '../mail/world/parts.ts';
import { longestTurn } from '../support/thread-cpu.ts';
import { adversaries, further, refused } from './adversaries.ts';
import { countSteps, type Measured, measureInThread } from './measuring.ts';

/*
 * `npm run bench:html`, with words of the names to choose: prints the CPU and heap that bodies of 256 KiB, 1
 * MiB and 4 MiB take, as HTML and as text, and the longest turn of the serving thread while a message of 4
 * MiB is read and its mail is composed.
 *
 * Time may grow faster than the body, as the garbage collector copies more the more is alive. `steps`, the
 * growth of the number of executed blocks from 256 KiB to 1 MiB, shows whether the work is linear.
 */

const sizes = [2 ** 18, 2 ** 20, 2 ** 22];
/** The longest that `/health/live` may wait, in CPU. */
const mostMilliseconds = 100;
/** The body grows ×4; a body may be refused at the larger size. */
const mostGrowth = 4.4;
const { positionals: words } = parseArgs({ allowPositionals: true });
const chosen = Object.entries({ ...adversaries, ...further, ...refused }).filter(
  ([name]) => words.length === 0 || words.some((word) => name.includes(word)),
);
const print = (...cells: readonly string[]) =>
  process.stdout.write(
    `${cells[0]!.padEnd(48)}${cells
      .slice(1)
      .map((cell) => cell.padStart(11))
      .join('')}\n`,
  );

const mailOf = (body: string, format: 'HTML' | 'TEXT', quoted: MailParts['quoted'] = []): MailParts =>
  mailPartsOf({ body, format, signature: 'Jane', quoted });

/** The longest turn of this thread while a message is read and its mail composed. */
async function held(body: string, format: 'HTML' | 'TEXT'): Promise<number> {
  return longestTurn(async () => {
    await readBody(body, format).catch(() => {});
    await composeMail(mailOf(body, format));
  });
}

let worstSteps = 0;
let worstGrowth = 0;
let worstHeap = 0;
let worstHeld = 0;
// Warms up, so that compilation is not measured.
await held('<p>x</p>'.repeat(20_000), 'HTML');
await held('x '.repeat(80_000), 'TEXT');
print('body', '256 KiB', '1 MiB', '4 MiB', 'growth', 'of it GC', 'steps', 'heap, MB', 'held, ms', 'outcome');
for (const format of ['HTML', 'TEXT'] as const)
  for (const [name, make] of chosen) {
    const results: Measured[] = [];
    for (const size of sizes) results.push(await measureInThread(make(size), format));
    const [, middle, last] = results;
    const growth = last!.milliseconds / Math.max(20, middle!.milliseconds);
    const [fewer, more] = [
      await countSteps(make(sizes[0]!), format),
      await countSteps(make(sizes[1]!), format),
    ];
    const steps = more.steps / fewer.steps;
    const turn = await held(make(sizes.at(-1)!), format);
    worstSteps = Math.max(worstSteps, steps);
    worstGrowth = Math.max(worstGrowth, growth);
    worstHeap = Math.max(worstHeap, last!.heapBytes);
    worstHeld = Math.max(worstHeld, turn);
    print(
      `${format === 'TEXT' ? 'as text: ' : ''}${name}`,
      ...results.map(({ milliseconds }) => `${milliseconds.toFixed(0)} ms`),
      `× ${growth.toFixed(1)}`,
      `${last!.collecting.toFixed(0)} ms`,
      `× ${steps.toFixed(2)}`,
      (last!.heapBytes / 1e6).toFixed(0),
      turn.toFixed(0),
      last!.outcome,
    );
  }

/** Fifty earlier messages, together as large as the quotations of one mail may be. */
const message = (body: string, format: 'HTML' | 'TEXT') => ({
  ...{ author: 'Jane', at: new Date(0), body, format, files: [] },
});
for (const [name, make] of chosen.slice(0, words.length === 0 ? 12 : undefined)) {
  const quoted = Array.from({ length: 50 }, () => message(make(10_000), 'HTML'));
  const turn = await longestTurn(() => previewMail({ ...mailOf('x', 'TEXT', quoted), lastMail: null }));
  worstHeld = Math.max(worstHeld, turn);
  print(`50 quotations: ${name}`, ...Array(7).fill(''), turn.toFixed(0), 'previewed');
}
process.stdout.write(
  `Worst growth of steps × ${worstSteps.toFixed(2)} (${mostGrowth} are allowed; × 4 is linear), ` +
    `of time × ${worstGrowth.toFixed(1)}, heap ${(worstHeap / 1e6).toFixed(0)} MB, ` +
    `held ${worstHeld.toFixed(0)} ms of CPU (${mostMilliseconds} are allowed)\n`,
);
process.exit(worstHeld > mostMilliseconds || worstSteps > mostGrowth ? 1 : 0);
