import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('the embedded database serves a command with no gateway, and two at once', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-cli-'));
  const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
  const ticketwire = (...argv: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const env = { ...process.env, DATA_DIR: directory, DATABASE_URL: '' };
      const child = execFile(process.execPath, [main, ...argv], { env }, (error, out, err) =>
        resolve({ code: error === null ? 0 : Number(error.code), out, err }),
      );
      child.stdin!.end('a password\n');
    });
  try {
    const words = ['user', 'add', 'olga', '--name', 'Olga', '--role', 'operator', '--json'];
    const refused = await ticketwire(...words);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain(`There is no database in ${directory}. Set DATABASE_URL`);
    expect(await readdir(directory)).toEqual([]);
    const err = `On the embedded database in ${directory}\n`;
    const add = await ticketwire(...words, '--embedded');
    expect({ ...add, out: JSON.parse(add.out).login }).toEqual({ code: 0, out: 'olga', err });
    const { startEmbedded } = await import('../../src/dev/embedded-postgres/start-postgres.ts');
    await using _gateway = await startEmbedded(directory);
    const both = await Promise.all([ticketwire('user', 'list'), ticketwire('ticket', 'list')]);
    expect(both.map(({ code, err }) => ({ code, err }))).toEqual([
      { code: 0, err },
      { code: 0, err },
    ]);
    expect(both[0]!.out).toContain('olga');
    expect(both[1]!.out).toBe('None.\n');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
