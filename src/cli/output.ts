import type { Output } from './command.ts';

type Cell = string | number | boolean | Date | null | undefined | readonly string[];
/** A record to print: values by column. */
export type OutputRow = Readonly<Record<string, Cell>>;

/**
 * Makes a table with a heading and one line for each record. On a terminal its widest columns are cut to fit,
 * to no less than 12 characters. An empty list prints `None.`. The JSON is the list, with all values of its
 * records.
 * @param columns the values to show in the table, in this order
 */
export function rows(list: readonly OutputRow[], columns: readonly string[]): Output {
  if (list.length === 0) return { json: list, text: 'None.' };
  const lines = [columns.map(heading), ...list.map((row) => columns.map((column) => show(row[column])))];
  // Not `Math.max` of all: a call takes about 120,000 arguments.
  const widths = columns.map((_, at) =>
    lines.reduce((widest, line) => Math.max(widest, width(line[at]!)), 0),
  );
  return {
    json: list,
    text: table(lines, widths),
    narrow: (room) => table(lines, narrowed(widths, room)),
  };
}

const gap = '  ';

function table(lines: readonly (readonly string[])[], widths: readonly number[]): string {
  const cellsOf = (line: readonly string[]) => line.map((cell, at) => padded(cell, widths[at]!));
  return lines.map((line) => cellsOf(line).join(gap).trimEnd()).join('\n');
}

function padded(cell: string, room: number): string {
  const taken = width(cell);
  if (taken <= room) return cell + ' '.repeat(room - taken);
  let cut = '';
  let used = 0;
  for (const character of cell) {
    used += width(character);
    if (used >= room) break;
    cut += character;
  }
  return `${cut}…${' '.repeat(room - 1 - width(cut))}`;
}

/** Columns are not cut below this: ids, states and short names stay whole. */
const leastWidth = 12;

/** Narrows the widest columns until the table fits. */
function narrowed(widths: readonly number[], room: number): number[] {
  const cut = [...widths];
  const total = () => cut.reduce((sum, one) => sum + one, gap.length * (cut.length - 1));
  while (total() > room) {
    const widest = cut.indexOf(Math.max(...cut));
    if (cut[widest]! <= leastWidth) break;
    cut[widest]! -= 1;
  }
  return cut;
}

/** Makes a list with one line for each field of a record; the JSON is the record. */
export function fields(row: OutputRow): Output {
  const names = Object.keys(row);
  const widest = Math.max(...names.map((name) => heading(name).length));
  const text = names.map((name) => `${heading(name).padEnd(widest)}  ${show(row[name])}`).join('\n');
  return { json: row, text };
}

/**
 * The output of a command that has printed everything already. Nothing more is printed, not even with
 * `--json`.
 */
export const nothing: Output = { json: undefined, text: '' };

/** Makes the output of a change: one sentence, or with `--json` a record of what was changed. */
export const done = (text: string, json: OutputRow): Output => ({ text, json });

/**
 * Replaces control characters (tabs too) and those that set the direction of writing by U+FFFD: text from
 * customers must not send escape sequences to the terminal.
 * @param lines whether to preserve line breaks, as LF. Otherwise each becomes a space
 */
export function printable(text: string, lines = false): string {
  const cleaned = text.replace(/\r\n/g, '\n').replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
  return lines ? cleaned : cleaned.replace(/\n/g, ' ');
}

/** A number with a regular noun in the singular or plural: `1 file`, `2 files`. */
export const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? '' : 's'}`;

/** A size as people read it, in bytes, KiB or MiB: `1 byte`, `1.5 KiB`, `2048.0 MiB`. */
export function sizeOf(bytes: number): string {
  if (bytes < 1024) return count(bytes, 'byte');
  const kib = bytes / 1024;
  return kib < 1023.95 ? `${kib.toFixed(1)} KiB` : `${(kib / 1024).toFixed(1)} MiB`;
}

const heading = (name: string) => name.replace(/[A-Z]/g, ' $&').toUpperCase();
/** Two columns of a terminal: East Asian characters of full width, and emoji. */
const wideRanges = [
  '\\u1100-\\u115f\\u2e80-\\ua4cf\\uac00-\\ud7a3\\uf900-\\ufaff\\ufe30-\\ufe6f',
  '\\uff01-\\uff60\\uffe0-\\uffe6\\u{20000}-\\u{3fffd}\\p{Emoji_Presentation}',
];
const wide = new RegExp(`[${wideRanges.join('')}]`, 'u');
const combining = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a text takes on a terminal. */
function width(text: string): number {
  let columns = 0;
  for (const character of text) if (!combining.test(character)) columns += wide.test(character) ? 2 : 1;
  return columns;
}

function show(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-';
  if (cell instanceof Date) return cell.toISOString();
  if (Array.isArray(cell)) return printable(cell.join(',')) || '-';
  return printable(String(cell));
}
