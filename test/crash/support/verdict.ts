import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/* How the commands that look for violations report them and exit. */

export const tell = (line: string): void => void process.stdout.write(`${line}\n`);

/** What was not as promised, in words. */
export const violations: string[] = [];

/** Prints a value. Another one than expected is a violation. */
export function check(what: string, is: unknown, expected: unknown): void {
  const good = JSON.stringify(is) === JSON.stringify(expected);
  const instead = good ? '' : ` instead of ${JSON.stringify(expected)}`;
  tell(`${good ? 'ok  ' : 'BAD '} ${what}: ${JSON.stringify(is)}${instead}`);
  if (!good) violations.push(what);
}

/**
 * Runs a command in a temporary folder, which PostgreSQL's user may enter, and ends the process: with 1 if
 * there was a violation.
 */
export async function runInFolder(name: string, main: (directory: string) => Promise<void>): Promise<never> {
  const directory = await mkdtemp(join(tmpdir(), `ticketwire-${name}-`));
  await chmod(directory, 0o711);
  try {
    await main(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  tell(
    violations.length === 0 ? 'no violation' : `${violations.length} violations: ${violations.join('; ')}`,
  );
  process.exit(violations.length === 0 ? 0 : 1);
}
