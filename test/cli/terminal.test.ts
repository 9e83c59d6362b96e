import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { rows } from '../../src/cli/output.ts';
import { readConfig } from '../../src/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { soaking } from '../support/soak.ts';
import { typeCommand } from './command-line.ts';

/** @param columns of the terminal; none: a pipe */
async function ticketwire(words: readonly string[], columns?: number, world?: TestDatabase) {
  const open = async () => ({
    ...{ db: world!.database.desk, sql: world!.database.raw, config: readConfig({}) },
    async [Symbol.asyncDispose]() {},
  });
  return typeCommand(words, { columns, open });
}

test('a table fits the terminal, its ids and states whole; in a pipe all of it is whole', async () => {
  await using world = await createTestDatabase('demo');
  const whole = (await ticketwire(['ticket', 'list'], undefined, world)).out.trim().split('\n');
  const cut = (await ticketwire(['ticket', 'list'], 60, world)).out.trim().split('\n');
  expect(Math.max(...whole.map((line) => line.length))).toBeGreaterThan(60);
  expect(Math.max(...cut.map((line) => line.length))).toBeLessThanOrEqual(60);
  expect(cut).toHaveLength(whole.length);
  expect(cut.filter((line) => line.endsWith('…')).length).toBeGreaterThan(0);
  for (const [at, line] of cut.entries()) expect(line.slice(0, 20)).toBe(whole[at]!.slice(0, 20));
  const wide = (await ticketwire(['ticket', 'list'], 500, world)).out.trim().split('\n');
  expect(wide).toEqual(whole);
  // A terminal that is too narrow for anything is not made narrower than words.
  expect((await ticketwire(['ticket', 'list'], 1, world)).out).toContain('INC-000047');
});

test('characters that take two columns of a terminal, or none, keep the columns in line', () => {
  const list = ['印刷機が動きません', 'e\u0301te\u0301', '🖨 📠', 'plain'].map((subject) => ({
    subject,
    state: 'OPEN',
  }));
  const { text, narrow } = rows(list, ['subject', 'state']);
  expect(text.split('\n').slice(1)).toEqual([
    '印刷機が動きません  OPEN',
    'e\u0301te\u0301                 OPEN',
    '🖨 📠                OPEN',
    'plain               OPEN',
  ]);
  expect(narrow!(18).split('\n')[1]).toBe('印刷機が動…   OPEN');
});

test.runIf(soaking)('a table has as many lines as there are rows', () => {
  const { text } = rows(Array(150_000).fill({ id: 47 }), ['id']);
  expect(text.split('\n')).toHaveLength(150_001);
});

const hasBash = await promisify(execFile)('bash', ['-c', 'exit 0']).then(
  () => true,
  () => false,
);

describe('completion', () => {
  /** What a Tab offers after each of these lines, whose words are parted by one blank. */
  async function offered(...lines: string[]): Promise<string[][]> {
    const { out } = await ticketwire(['completion', 'bash']);
    const script = `eval "$1"; shift
      for line in "$@"; do
        IFS=' ' read -ra words <<< "$line."; last=$((\${#words[@]} - 1))
        words[last]=\${words[last]%.}
        COMPREPLY=(); COMP_WORDS=(ticketwire "\${words[@]}"); COMP_CWORD=\${#words[@]}; _ticketwire
        echo "\${COMPREPLY[*]}"
      done`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script, 'bash', out, ...lines]);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' '));
  }

  test.runIf(hasBash)('offers groups, commands, options, and files where one is taken', async () => {
    const [all, ...others] = await offered(
      '',
      'mess',
      'outbox ',
      'user add --na',
      'message add INC-000047 --e',
      'import READ',
      'import --dry',
      'user list READ',
      'user',
    );
    expect(all).toEqual(expect.arrayContaining(['user', 'message', 'doctor', 'import']));
    expect(others).toEqual([
      ['message'],
      ['show', 'hold', 'release'],
      ['--name'],
      ['--email'],
      ['README.md'],
      ['--dry-run'],
      [''],
      ['user'],
    ]);
  });

  test.runIf(hasBash)('its script defines the command itself', async () => {
    const { out } = await ticketwire(['completion', 'bash']);
    const { stdout } = await promisify(execFile)('bash', ['-c', `${out}\nticketwire --version`]);
    expect(stdout).toMatch(/^ticketwire \d/);
  });

  test.runIf(hasBash)(
    'in any folder it means the database that `npm start` has, or that of DATA_DIR',
    async () => {
      const { out } = await ticketwire(['completion', 'bash']);
      const lists = async (dataDir: string) => {
        // The program itself is replaced by one that prints the setting.
        const script = `${out.replace(/ '[^']*' '[^']*main\.ts'/, ' env')}\nticketwire`;
        const env = { ...process.env, DATA_DIR: dataDir };
        const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: '/', env });
        return /^DATA_DIR=(.*)$/m.exec(stdout)![1];
      };
      expect(await lists('')).toBe(fileURLToPath(new URL('../../.data', import.meta.url)));
      expect(await lists('/elsewhere')).toBe('/elsewhere');
    },
  );

  test('is written for zsh and fish too, and for no other shell', async () => {
    // In this order: bashcompinit needs compinit, which a zsh without settings has not run.
    expect((await ticketwire(['completion', 'zsh'])).out).toMatch(/compinit -i[\s\S]*bashcompinit/);
    expect((await ticketwire(['completion', 'fish'])).out).toMatch(/complete -c ticketwire .* -l email -d/);
    const refused = await ticketwire(['completion', 'tcsh']);
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('bash, zsh, fish')]);
  });
});

describe.runIf(hasBash)('output that cannot be written', () => {
  const typed = (line: string) => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const script = `"$1" "$2" ${line}; echo "code \${PIPESTATUS[0]}"`;
    return promisify(execFile)('bash', ['-c', script, 'bash', process.execPath, main]);
  };

  test.runIf(soaking)('because its reader has seen enough is no failure', async () => {
    expect(await typed('--help | true')).toEqual({ stdout: 'code 0\n', stderr: '' });
  });

  test.runIf(process.platform === 'linux')('because the disk is full is said, and fails', async () => {
    const { stdout, stderr } = await typed('--help > /dev/full');
    expect(stdout).toBe('code 1\n');
    expect(stderr).toMatch(/^The output cannot be written: ENOSPC[^\n]*\n$/);
  });

  test.runIf(process.platform === 'linux')('on standard error does not end a command', async () => {
    const { stdout } = await typed('nonsense 2> /dev/full');
    expect(stdout).toBe('code 2\n');
  });
});
