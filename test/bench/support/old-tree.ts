import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A tree of the project, beside this one. */
export interface OldTree extends Disposable {
  readonly path: string;
}

/**
 * A directory that has a tree already, or the files of a commit in a temporary directory, which is removed at
 * the end. It shares this tree's packages if its lock is the same, and has its own otherwise.
 */
export function openOldTree(what: string): OldTree {
  if (existsSync(what) && statSync(what).isDirectory())
    return { path: resolve(what), [Symbol.dispose]: () => {} };
  const path = mkdtempSync(join(tmpdir(), 'ticketwire-before-'));
  const tree = { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
  try {
    const archive = execFileSync('git', ['archive', what], { cwd: root, maxBuffer: 2 ** 30 });
    execFileSync('tar', ['-x', '-C', path], { input: archive });
    addPackages(path);
  } catch (error) {
    tree[Symbol.dispose]();
    throw error;
  }
  return tree;
}

function addPackages(path: string): void {
  const lock = (tree: string) => readFileSync(join(tree, 'package-lock.json'), 'utf8');
  if (lock(path) === lock(root)) symlinkSync(join(root, 'node_modules'), join(path, 'node_modules'));
  else
    execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts'], {
      cwd: path,
      stdio: 'inherit',
    });
  const built = join(root, 'dist');
  if (existsSync(built)) symlinkSync(built, join(path, 'dist'));
}
