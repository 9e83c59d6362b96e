import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ImportInterrupted, type ImportResult, importDesk } from '../../import/import-desk.ts';
import { whyNotLines } from '../../import/read-lines.ts';
import { type Command, type CommandContext, CommandError, type Output, type Terminal } from '../command.ts';
import { count, printable, rows } from '../output.ts';
import { createProgress } from '../progress.ts';

/** Most problems that are printed. Further ones are only counted. */
const maxShown = 1000;

const run: Command = {
  name: 'import',
  arguments: ['FILE'],
  summary: 'Import users, mailboxes, tickets and messages from another desk',
  details:
    'FILE has one JSON object per line, see docs/IMPORT.md; - is standard input. Ids are preserved.\n' +
    'Nothing is written if any line is invalid. A second run writes only what is missing.',
  options: { 'dry-run': { type: 'boolean', help: 'validate every line without writing' } },
  example: 'import old-desk.jsonl --dry-run',
  async run(ctx, [file], values) {
    const dryRun = values['dry-run'] === true;
    await using input = await readable(file!, ctx);
    const otherwise = await whyNotLines(input.path);
    if (otherwise !== undefined) throw new CommandError(`${file === '-' ? 'The input' : file} ${otherwise}`);
    let shown = 0;
    const progress = createProgress(ctx.stderr);
    const options = {
      dryRun,
      onProgress: (step: string, lines: number) => progress.update(`${count(lines, 'line')} ${step}`),
    };
    const result = await importDesk(
      ctx.db,
      input.path,
      ({ line, message }) => {
        shown += 1;
        if (shown <= maxShown) progress.line(printable(`line ${line}: ${message}`));
      },
      options,
    ).catch((error: unknown) => {
      throw error instanceof ImportInterrupted ? new CommandError(error.message, { cause: error }) : error;
    });
    progress.end();
    return outputOf(result, dryRun, shown);
  },
};

function outputOf(result: ImportResult, dryRun: boolean, shown: number): Output {
  if (result.problems > 0) {
    const more = shown > maxShown ? ` (${maxShown} are shown)` : '';
    const found = `${count(result.problems, 'problem')} in ${count(result.lines, 'line')}`;
    const text = `Nothing was written: ${found}${more}.`;
    return { json: result, text, exitCode: 1 };
  }
  if (result.lines === 0) return { json: result, text: 'The input is empty.', exitCode: 1 };
  if (dryRun) {
    const good = result.lines === 1 ? '1 line is valid' : `All ${result.lines} lines are valid`;
    return { json: result, text: `${good}; nothing was written.` };
  }
  const types = Object.keys(result.written) as (keyof typeof result.written)[];
  const table = types.map((type) => ({ type, new: result.written[type], unchanged: result.unchanged[type] }));
  return { ...rows(table, ['type', 'new', 'unchanged']), json: result };
}

/** The file. What comes through a pipe is copied to a temporary file first, because it is read twice. */
async function readable(file: string, { stdin }: Pick<CommandContext, keyof Terminal>) {
  const found = file === '-' ? undefined : await stat(file).catch(() => undefined);
  if (found?.isFile()) return { path: file, async [Symbol.asyncDispose]() {} };
  const piped = file === '-' || file === '/dev/stdin' || found?.isFIFO() || found?.isSocket();
  if (found?.isDirectory()) throw new CommandError(`${file} is a folder: name the file in it`);
  if (!piped) throw new CommandError(`There is no file ${file}`);
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-import-'));
  const path = join(directory, 'lines.jsonl');
  const source = file === '-' || file === '/dev/stdin' ? stdin : createReadStream(file);
  await pipeline(source, createWriteStream(path, { mode: 0o600 }));
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

/**
 * The command `import FILE`: imports users, mailboxes, tickets and messages from JSON lines. Writes nothing
 * if any line is invalid or the input is empty, and exits with 1. Valid lines are written in batches: if a
 * later batch fails, the earlier ones stay, and a second run writes the rest.
 */
export const importCommands: readonly Command[] = [run];
