import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { glob, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Where packages are unpacked; never committed. */
const folder = fileURLToPath(new URL('../../node_modules/.cache/corpus/', import.meta.url));
const lock = fileURLToPath(new URL('packages.json', import.meta.url));

interface Locked {
  readonly version: string;
  /** SHA-256 of the package as npm packs it. */
  readonly sha256: string;
}

/**
 * Fetches the packages of `packages.json` from npm, as they were when they were locked. None of their code is
 * run or installed.
 */
export async function unpackAll(): Promise<void> {
  const packages = JSON.parse(await readFile(lock, 'utf8')) as Record<string, Locked>;
  await mkdir(folder, { recursive: true });
  for (const [name, { version, sha256 }] of Object.entries(packages)) {
    const target = join(folder, `${name}-${version}`);
    if (existsSync(target)) continue;
    const { stdout } = await run('npm', ['pack', '--silent', `${name}@${version}`], { cwd: folder });
    const archive = join(folder, stdout.trim());
    const digest = createHash('sha256')
      .update(await readFile(archive))
      .digest('hex');
    if (digest !== sha256) throw new Error(`${name} ${version} is not what was locked: ${digest}`);
    await mkdir(target);
    await run('tar', ['xzf', archive, '-C', target]);
  }
}

/** The files of all packages that fit a pattern, with the package that each is of. */
export async function* filesOf(pattern: string): AsyncGenerator<{ source: string; path: string }> {
  for await (const path of glob(`*/**/${pattern}`, { cwd: folder }))
    yield { source: path.split('/')[0]!, path: join(folder, path) };
}
