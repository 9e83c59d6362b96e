/*
 * npm run rename:columns
 *
 * Renames ten columns of src/db/tables.ts, one after another, in a copy of the program, and counts what fails
 * to compile: a statement that names a column has to fail when the column is renamed. Ends with 1 when one of
 * the files that write or read it, as listed here, compiles.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = 'src/tickets/add-message';

/** By table and column, as tables.ts calls them: which files of the command name it. */
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

/** The table's text with one of its columns under another name, in PostgreSQL as well. */
function renamed(text: string, table: string, column: string): string {
  const start = text.indexOf(`export const ${table} = pgTable(`);
  const end = text.indexOf('\nexport ', start + 1);
  const own = text.slice(start, end === -1 ? undefined : end);
  const declaration = new RegExp(`^( +)${column}: `, 'm');
  if (start === -1 || !declaration.test(own)) throw new Error(`${table} has no column ${column}`);
  // Its own indexes and references go with it.
  const changed = own
    .replace(declaration, `$1${column}Renamed: `)
    .replace(new RegExp(`\\bt\\.${column}\\b`, 'g'), `t.${column}Renamed`);
  const elsewhere = text.replace(own, changed);
  return elsewhere.replace(new RegExp(`\\b${table}\\.${column}\\b`, 'g'), `${table}.${column}Renamed`);
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
  const tables = join(directory, 'src', 'db', 'tables.ts');
  const text = readFileSync(tables, 'utf8');
  for (const [table, column, files] of columns) {
    writeFileSync(tables, renamed(text, table, column));
    const errors = compile(directory);
    const compiled = files.filter((file) => !errors.has(`${command}/${file}`));
    isWhole &&= compiled.length === 0 && !errors.has('src/db/tables.ts');
    const counts = [...errors].map(([file, count]) => `${file} ${count}`).join(', ');
    process.stdout.write(`${table}.${column}: ${counts || 'nothing fails'}\n`);
    for (const file of compiled) process.stdout.write(`  ${command}/${file} names it, and compiles\n`);
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
process.exitCode = isWhole ? 0 : 1;
