import type { Output } from './command.ts';

type Cell = string | number | boolean | Date | null | undefined | readonly string[];
/** A record to print: values by column. */
export type OutputRow = Readonly<Record<string, Cell>>;

/** Makes a table with one line for each record. */
export function rows(list: readonly OutputRow[], columns: readonly string[]): Output {
  const lines = [columns.map(heading), ...list.map((row) => columns.map((column) => show(row[column])))];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => width(line[at]!))));
  const text = lines
    .map((line) =>
      line
        .map((cell, at) => cell + ' '.repeat(widths[at]! - width(cell)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
  return { json: list, text: list.length === 0 ? 'None.' : text };
}

/** Makes a list with one line for each field of a record. */
export function fields(row: OutputRow): Output {
  const names = Object.keys(row);
  const widest = Math.max(...names.map((name) => heading(name).length));
  const text = names.map((name) => `${heading(name).padEnd(widest)}  ${show(row[name])}`).join('\n');
  return { json: row, text };
}

/** Makes one sentence; with `--json`, the record that was changed is printed instead. */
export const done = (text: string, json: OutputRow): Output => ({ text, json });

/**
 * Replaces control characters by U+FFFD: text from customers must not send escape sequences to the terminal.
 * @param lines whether to preserve line breaks
 */
export function printable(text: string, lines = false): string {
  const cleaned = text.replace(/\r\n/g, '\n').replace(/[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
  return lines ? cleaned : cleaned.replace(/\n/g, ' ');
}

const heading = (name: string) => name.replace(/[A-Z]/g, ' $&').toUpperCase();
const width = (text: string) => [...text].length;

function show(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-';
  if (cell instanceof Date) return cell.toISOString();
  if (Array.isArray(cell)) return printable(cell.join(',')) || '-';
  return printable(String(cell));
}
