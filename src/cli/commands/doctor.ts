import { type LooseCommand, type Output, UsageError } from '../command.ts';
import { rows } from '../output.ts';
import { type Check, checksOf } from './doctor-checks.ts';

interface Finding {
  readonly check: string;
  readonly result: 'ok' | 'warning' | 'failed' | 'off';
  readonly detail: string;
}

const doctor: LooseCommand = {
  name: 'doctor',
  arguments: [],
  summary: 'Try every setting, as a start would, and tell what is wrong',
  details: [
    'It reads the environment as the gateway does: run it with the same one. It connects to the database as its owner and as the gateway,',
    'keeps a file and removes it, greets mail servers, fetches keys, asks the scanner. It makes no table and starts no database.',
    'Exit code 1 if anything failed.',
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
      ...{ text: rows(shown, ['check', 'result', 'detail']).text },
      exitCode: failed > 0 ? 1 : 0,
    };
  },
};

async function carryOut({ name, run }: Check): Promise<Finding> {
  try {
    const found = await run();
    return { check: name, ...(typeof found === 'string' ? { result: 'ok', detail: found } : found) };
  } catch (error) {
    return { check: name, result: 'failed', detail: wordsOf(error) };
  }
}

/** What the faults of a start say of themselves, without the setting's name, which stands in front of it. */
function wordsOf(error: unknown): string {
  if (error instanceof UsageError) throw error;
  const { message, code } = error as NodeJS.ErrnoException;
  return (message || code || String(error)).replace(/^[A-Z_]+: /, '');
}

export const doctorCommands: readonly LooseCommand[] = [doctor];
