/*
 * npm run rename:columns
 *
 * Renames ten columns of src/db/tables, one after another, in a copy of the program, and counts what fails
 * to compile: a statement that names a column has to fail when the column is renamed. Ends with 1 when one of
 * the files that write or read it, as listed here, compiles.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = 'src/tickets/add-message';

/** By table and column, as src/db/tables calls them: which files of the command name it. */
const columns: readonly (readonly [table: string, column: string, files: readonly string[]])[] = [
  ['messages', 'isMobileDevice', ['input.ts']],
  ['messages', 'authorId', ['row.ts', 'writes.ts']],
  ['tickets', 'requesterId', ['rules.ts']],
  ['tickets', 'lastEventNumber', ['rules.ts', 'writes.ts']],
  ['mailboxes', 'displayName', ['rules.ts']],
  ['deliveries', 'rfcMessageId', ['row.ts', 'writes.ts']],
  ['deliveryRecipients', 'address', ['row.ts', 'writes.ts']],
  ['attachments', 'blobKey', ['row.ts', 'writes.ts']],
  ['events', 'publicNumber', ['writes.ts']],
  ['idempotencyKeys', 'fingerprint', ['accept.ts']],
];

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
    const compiled = files.filter((file) => !errors.has(`${command}/${file}`));
    isWhole &&= compiled.length === 0 && ![...errors.keys()].some((file) => file.startsWith('src/db/tables'));
    const counts = [...errors].map(([file, count]) => `${file} ${count}`).join(', ');
    process.stdout.write(`${table}.${column}: ${counts || 'nothing fails'}\n`);
    for (const file of compiled) process.stdout.write(`  ${command}/${file} names it, and compiles\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = isWhole ? 0 : 1;
