import { type LooseCommand, type Output, UsageError } from '../command.ts';
import { rows } from '../output.ts';
import type { SettingCheck } from './doctor/check.ts';
import { checksOf } from './doctor/checks.ts';

interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed' | 'off';
  readonly detail: string;
}

const doctor: LooseCommand = {
  name: 'doctor',
  arguments: [],
  summary: 'Check every setting as a start would, and report what is wrong',
  details: [
    'Run it in the environment of the gateway. It connects to the database as owner and as gateway, stores',
    'and deletes a file, connects to the mail servers, fetches keys and calls the scanner. It leaves nothing',
    'behind: no tables, no folders, no database.',
    'Exits with 1 if any check failed.',
  ].join('\n'),
  options: {},
  example: 'doctor --json',
  async runLoose({ env }): Promise<Output> {
    const findings: Finding[] = [];
    for await (const check of checksOf(env)) findings.push(await carryOut(check));
    const failed = findings.filter(({ result }) => result === 'failed').length;
    const shown = findings.map((finding) => ({ ...finding }));
    return {
      json: findings,
      // Not truncated on a narrow terminal: the end of a text may say what to change.
      ...{ text: rows(shown, ['check', 'result', 'detail']).text },
      exitCode: failed > 0 ? 1 : 0,
    };
  },
};

async function carryOut({ name, run }: SettingCheck): Promise<Finding> {
  try {
    const found = await run();
    return { check: name, ...(typeof found === 'string' ? { result: 'ok', detail: found } : found) };
  } catch (error) {
    return { check: name, result: 'failed', detail: wordsOf(error) };
  }
}

/** The message of a start error without the name of the setting, which the row begins with. */
function wordsOf(error: unknown): string {
  if (error instanceof UsageError) throw error;
  const { message, code } = error as NodeJS.ErrnoException;
  return (message || code || String(error)).replace(/^[A-Z_]+: /, '');
}

/**
 * The command `doctor`: checks every setting and what it leads to, prints a row for each check, and leaves
 * nothing behind. Exits with 1 if a check failed. Warnings do not count.
 */
export const doctorCommands: readonly LooseCommand[] = [doctor];
