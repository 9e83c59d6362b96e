/*
 * npm run rename:columns
 *
 * Renames ten columns of src/db/tables, one after another, in a copy of the program, and counts what fails
 * to compile. Every file of src that names the column as `table.column` has to fail, and so has every file
 * below that writes it by its key alone: `insertFrom(events, { publicNumber: … })`. Ends with 1 when one of
 * them compiles.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const commit = 'src/tickets/add-message/commit';

/** By table and column, as src/db/tables calls them: which files write it by its key. */
const columns: readonly (readonly [table: string, column: string, files: readonly string[]])[] = [
  ['messages', 'isMobileDevice', [`${commit}/insert-rows.ts`]],
  ['messages', 'authorId', [`${commit}/insert-rows.ts`]],
  ['tickets', 'status', ['src/tickets/set-status.ts', `${commit}/ticket-writes.ts`]],
  ['tickets', 'lastEventNumber', [`${commit}/ticket-writes.ts`, 'src/events/append-events.ts']],
  ['mailboxes', 'displayName', ['src/cli/commands/mailboxes.ts']],
  ['deliveries', 'rfcMessageId', [`${commit}/insert-rows.ts`]],
  ['deliveryRecipients', 'address', [`${commit}/insert-rows.ts`]],
  ['attachments', 'blobKey', [`${commit}/insert-rows.ts`, 'src/tickets/redact/erase-files.ts']],
  ['events', 'publicNumber', [`${commit}/ticket-writes.ts`, 'src/events/append-events.ts']],
  ['idempotencyKeys', 'fingerprint', [`${commit}/accept-rows.ts`]],
];

for (const file of columns.flatMap(([, , files]) => files))
  if (!existsSync(join(root, file))) throw new Error(`${file} is no more: say which file writes the column`);

/** Files of src that name a column of a table, the tables' own left out. */
const filesNaming = (table: string, column: string): string[] =>
  readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.ts') && !name.startsWith('src/db/tables'))
    .filter((name) =>
      new RegExp(`(?<![\\w.])${table}\\.${column}\\b`).test(readFileSync(join(root, name), 'utf8')),
    );

/** The text of a file of tables with one column under another name, in PostgreSQL as well. */
function renamed(text: string, table: string, column: string): string {
  const references = new RegExp(`\\b${table}\\.${column}\\b`, 'g');
  return renamedInTable(text, table, column).replace(references, `${table}.${column}Renamed`);
}

function renamedInTable(text: string, table: string, column: string): string {
  const start = text.indexOf(`export const ${table} = pgTable(`);
  if (start === -1) return text;
  const end = text.indexOf('\nexport ', start + 1);
  const own = text.slice(start, end === -1 ? undefined : end);
  const declaration = new RegExp(`^( +)${column}: `, 'm');
  if (!declaration.test(own)) throw new Error(`${table} has no column ${column}`);
  // Its own indexes and references go with it.
  const changed = own
    .replace(declaration, `$1${column}Renamed: `)
    .replace(new RegExp(`\\bt\\.${column}\\b`, 'g'), `t.${column}Renamed`);
  return text.replace(own, changed);
}

/** @returns how many errors the compiler finds, by file */
function compile(directory: string): Map<string, number> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { stdout } = spawnSync(process.execPath, [tsc, '--noEmit', '--pretty', 'false'], {
    ...{ cwd: directory, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  });
  const files = [...stdout.matchAll(/^([^\s(][^(\n]*)\(\d+,\d+\): error/gm)].map(([, file]) => file!);
  return new Map([...Map.groupBy(files, (file) => file)].map(([file, errors]) => [file, errors.length]));
}

const directory = mkdtempSync(join(tmpdir(), 'ticketwire-rename-'));
let isWhole = true;
try {
  for (const name of ['src', 'schema', 'tsconfig.json', 'package.json'])
    cpSync(join(root, name), join(directory, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const config = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ ...config, include: ['src'] }));
  const folder = join(directory, 'src', 'db', 'tables');
  const sources = readdirSync(folder).map((name) => {
    const path = join(folder, name);
    return { path, text: readFileSync(path, 'utf8') };
  });
  for (const [table, column, files] of columns) {
    for (const { path, text } of sources) writeFileSync(path, renamed(text, table, column));
    const errors = compile(directory);
    const named = [...new Set([...files, ...filesNaming(table, column)])];
    const compiled = named.filter((file) => !errors.has(file));
    isWhole &&= compiled.length === 0 && ![...errors.keys()].some((file) => file.startsWith('src/db/tables'));
    const counts = [...errors].map(([file, count]) => `${file} ${count}`).join(', ');
    process.stdout.write(`${table}.${column}: ${counts || 'nothing fails'}\n`);
    for (const file of compiled) process.stdout.write(`  ${file} names it, and compiles\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = isWhole ? 0 : 1;
