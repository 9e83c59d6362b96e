import { stat } from 'node:fs/promises';
import { ImportInterrupted, importDesk } from '../import/import-desk.ts';
import { type Command, CommandError } from './command.ts';
import { rows } from './output.ts';

/** So many bad lines are told one by one; a file with more is wrong as a whole. */
const maxShown = 1000;

const run: Command = {
  name: 'import',
  arguments: ['FILE'],
  summary: 'Bring users, mailboxes, tickets and messages of an existing desk',
  details:
    'FILE has one JSON object a line, see docs/IMPORT.md. Ids are kept. Nothing is written if any line is bad; a second run\nwrites only what the first did not.',
  options: {},
  example: 'import old-desk.jsonl --dry-run',
  async run({ db, stderr }, [file]) {
    const found = await stat(file!).catch(() => undefined);
    if (!found?.isFile()) throw new CommandError(`There is no file ${file}`);
    let shown = 0;
    const result = await importDesk(db, file!, ({ line, message }) => {
      shown += 1;
      if (shown <= maxShown) stderr.write(`line ${line}: ${message}\n`);
    }).catch((error: unknown) => {
      throw error instanceof ImportInterrupted ? new CommandError(error.message, { cause: error }) : error;
    });
    if (result.problems > 0) {
      const more = shown > maxShown ? ` (${maxShown} are shown)` : '';
      const text = `Nothing was written: ${result.problems} problems in ${result.lines} lines${more}.`;
      return { json: result, text, exitCode: 1 };
    }
    const types = Object.keys(result.written) as (keyof typeof result.written)[];
    const table = types.map((type) => ({
      type,
      new: result.written[type],
      unchanged: result.unchanged[type],
    }));
    return { json: result, text: rows(table, ['type', 'new', 'unchanged']).text };
  },
};

export const importCommands: readonly Command[] = [run];
