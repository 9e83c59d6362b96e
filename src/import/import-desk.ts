import type { Db } from '../db/database.ts';
import { errorCodeOf } from '../platform/database-faults.ts';
import { Checker } from './check-records.ts';
import { bodyProblems } from './gateway-api-rules.ts';
import { readLines } from './read-lines.ts';
import type { ImportProblem, NumberedRecord } from './record.ts';
import { type DeskRecord, readRecord, recordTypes } from './record.ts';
import { type Counts, noCounts, reserveIds, TicketWentOn, writeRecords } from './write-records.ts';

/** Maximum lines of one transaction, and bytes of their text, which only a batch's last line may exceed. */
const batchLines = 1000;
const batchBytes = 4 * 1024 * 1024;

/** What an import did. */
export interface ImportResult {
  /** Lines that are not blank. */
  readonly lines: number;
  /** Number of new rows of each type. Zero in a dry run, or when there are problems. */
  readonly written: Counts;
  /**
   * Number of lines of each type whose row existed already. Zero in a dry run, or when there are problems.
   */
  readonly unchanged: Counts;
  /** Number of problems. Nothing was written if there is any. */
  readonly problems: number;
}

/**
 * A batch could not be written although its lines were valid: another program changed the desk meanwhile, or
 * the database failed. `cause` is the error, and `message` names the lines and the reason. Earlier batches
 * stay written.
 */
export class ImportInterrupted extends Error {
  constructor(from: number, to: number, options: ErrorOptions) {
    super(
      `lines ${from} to ${to} were not written (${reasonOf(options.cause)}); ` +
        'earlier lines were, and the import can be run again',
      options,
    );
    this.name = 'ImportInterrupted';
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof TicketWentOn ? cause.message : (errorCodeOf(cause) ?? 'fault');

/** How a file is imported. */
export interface ImportOptions {
  /** Checks every line and writes nothing. Default: false. */
  readonly dryRun?: boolean;
  /**
   * Called after each batch with the number of lines so far, blank ones left out: first for the lines that
   * were checked, then for those that were written.
   */
  readonly onProgress?: (step: 'checked' | 'written', lines: number) => void;
}

/**
 * Imports a file of JSON lines. It is read twice: first to find every invalid line, then, only if there was
 * none, to write. Each batch of at most 1,000 lines, or about 4 MiB, is one transaction. Existing rows are
 * not changed, so a second run writes only what the first did not. Messages get events but no mail.
 * @param file the file's path
 * @param onProblem called for each problem, in the order of the lines; invalid lines do not reject the
 *   promise
 * @throws ImportInterrupted when a batch cannot be written; the batches before it were
 */
export async function importDesk(
  db: Db,
  file: string,
  onProblem: (problem: ImportProblem) => void,
  { dryRun = false, onProgress = () => {} }: ImportOptions = {},
): Promise<ImportResult> {
  const found = { lines: 0, problems: 0, counts: noCounts(), highest: noCounts() };
  const checker = new Checker(db);
  for await (const { records, problems: malformed, lines, about } of batches(file)) {
    for (const item of about) checker.excuse(item);
    const bad = [...malformed, ...(await checker.check(records)), ...(await bodyProblems(records))];
    const problems = bad.sort((a, b) => a.line - b.line);
    for (const problem of problems) onProblem(problem);
    found.problems += problems.length;
    found.lines += lines;
    onProgress('checked', found.lines);
    for (const { record } of records) {
      found.counts[record.type] += 1;
      found.highest[record.type] = Math.max(found.highest[record.type], record.id);
    }
  }
  const written = noCounts();
  if (found.problems === 0 && !dryRun) {
    let lines = 0;
    await reserveIds(db, found.highest);
    for await (const { records } of batches(file)) {
      const counts = await write(db, records);
      for (const type of recordTypes) written[type] += counts[type];
      lines += records.length;
      onProgress('written', lines);
    }
  }
  const unchanged = noCounts();
  if (found.problems === 0 && !dryRun)
    for (const type of recordTypes) unchanged[type] = found.counts[type] - written[type];
  return { lines: found.lines, written, unchanged, problems: found.problems };
}

async function write(db: Db, records: readonly NumberedRecord[]): Promise<Counts> {
  try {
    return await db.transaction((tx) =>
      writeRecords(
        tx,
        records.map(({ record }) => record),
      ),
    );
  } catch (cause) {
    throw new ImportInterrupted(records[0]!.line, records.at(-1)!.line, { cause });
  }
}

interface Batch {
  readonly lines: number;
  readonly records: NumberedRecord[];
  readonly problems: ImportProblem[];
  readonly about: { type: DeskRecord['type']; id: number }[];
}

async function* batches(file: string): AsyncGenerator<Batch> {
  const empty = () => ({ lines: 0, records: [], problems: [], about: [] }) as Batch & { lines: number };
  let batch = empty();
  let bytes = 0;
  for await (const { number, text, byteSize } of readLines(file)) {
    const read = text === undefined ? undefined : readRecord(text);
    batch.lines += 1;
    if (text !== undefined) bytes += byteSize;
    if (read === undefined)
      batch.problems.push({ line: number, message: 'is not UTF-8, or longer than 128 MiB' });
    else if (read.ok) batch.records.push({ line: number, record: read.record });
    else {
      for (const message of read.problems) batch.problems.push({ line: number, message });
      if (read.about !== undefined) batch.about.push(read.about);
    }
    if (batch.lines < batchLines && bytes < batchBytes) continue;
    yield batch;
    batch = empty();
    bytes = 0;
  }
  if (batch.lines > 0) yield batch;
}
