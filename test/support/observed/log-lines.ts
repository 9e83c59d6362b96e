import { createLog, type Logger } from '../../../src/platform/log.ts';

export interface LogLine {
  readonly msg: string;
  readonly level: number;
  readonly [field: string]: unknown;
}

/** A log whose lines can be looked at. */
export function keepLog(level = 'info'): { log: Logger; lines: LogLine[]; named(msg: string): LogLine[] } {
  const lines: LogLine[] = [];
  const destination = { write: (line: string) => lines.push(JSON.parse(line) as LogLine) > 0 };
  return {
    log: createLog(level, destination as unknown as NodeJS.WritableStream),
    lines,
    named: (msg) => lines.filter((line) => line.msg === msg),
  };
}
