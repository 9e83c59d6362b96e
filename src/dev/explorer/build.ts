import { exec } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

/*
 * The page's packages are a tree of their own (`package.json` here): 175 MB, most of it the Monaco editor,
 * that nothing needs once the page is built. A build installs them beside a copy of the sources, and removes
 * both. Whoever works on the page runs `npm ci --prefix src/dev/explorer` once; builds then take that tree.
 */

const sources = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const dist = join(root, 'dist');
/** Where the built page is: `index.html`, and `assets/*.br`. */
export const explorerDist = join(dist, 'explorer');
/** What builds the page. Another version of these makes another page; the lock file here has the rest. */
const builders = ['vite', 'typescript'];
const run = promisify(exec);

/**
 * Builds the explorer page, and checks its types, unless it is there and made from these very sources (that
 * check takes some milliseconds). `unavailable`: the development packages are not installed; what was built
 * before, if anything, stays as it is.
 */
export async function buildExplorer(): Promise<'fresh' | 'built' | 'unavailable'> {
  const stamp = await fingerprint();
  if (stamp === undefined) return 'unavailable';
  if (stamp === (await readStamp())) return 'fresh';
  // Beside the old one, then in its place: processes that start together must not see half a page.
  const work = join(dist, `.explorer-${process.pid}`);
  try {
    const made = join(work, 'made');
    await build(await installed(join(work, 'sources')), made);
    await compress(join(made, 'assets'));
    await writeFile(join(made, 'stamp'), stamp);
    await replace(made);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return 'built';
}

/** Whether there is nothing to build: it is fresh, or the packages to build it with are not there. */
export async function isExplorerBuilt(): Promise<boolean> {
  const stamp = await fingerprint();
  return stamp === undefined || stamp === (await readStamp());
}

const readStamp = () => readFile(join(explorerDist, 'stamp'), 'utf8').catch(() => '');

/** The folder of the sources that has the page's packages: this one, or a copy at `copy`. */
async function installed(copy: string): Promise<string> {
  if (existsSync(join(sources, 'node_modules'))) return sources;
  await cp(sources, copy, { recursive: true });
  await run('npm ci --ignore-scripts', { cwd: copy });
  return copy;
}

/** Bundles the page, and checks its types meanwhile. */
async function build(from: string, outDir: string): Promise<void> {
  const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const types = run(`"${process.execPath}" "${typescript}" --noEmit -p "${from}"`);
  await Promise.all([types.catch(explain), bundle(from, outDir)]);
}

/** The compiler tells its findings on standard output. */
function explain(error: Error & { stdout?: string }): never {
  throw new Error(`The types of the GraphQL explorer: ${error.stdout}`, { cause: error });
}

async function bundle(from: string, outDir: string): Promise<void> {
  const { NODE_ENV } = process.env;
  // Whatever the caller's environment is: React's development build is another page under the same stamp.
  process.env.NODE_ENV = 'production';
  try {
    const { build } = await import('vite');
    await build({ configFile: join(from, 'vite.config.ts'), build: { outDir } });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

/** SHA-256 of what the page is made from; undefined where a builder is missing. */
async function fingerprint(): Promise<string | undefined> {
  const hash = createHash('sha256');
  const { resolve } = createRequire(import.meta.url);
  for (const name of builders) {
    const at = (resolve.paths(name) ?? [])
      .map((folder) => join(folder, name, 'package.json'))
      .find(existsSync);
    if (at === undefined) return undefined;
    hash.update(`${name} ${(JSON.parse(await readFile(at, 'utf8')) as { version: string }).version}\n`);
  }
  for (const file of await filesBelow(sources)) {
    hash.update(`${relative(sources, file)}\n`).update(await readFile(file));
  }
  return hash.digest('hex');
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const found = entries
    .filter(({ name }) => name !== 'node_modules')
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(path) : [path];
    });
  return (await Promise.all(found)).flat().sort();
}

/**
 * Only Brotli is kept, a quarter of the bytes: every browser takes it, and for the rest it is undone on the
 * way out.
 */
async function compress(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    const path = join(folder, file);
    const bytes = await promisify(brotliCompress)(await readFile(path), {
      params: { [constants.BROTLI_PARAM_QUALITY]: 7 },
    });
    await writeFile(`${path}.br`, bytes);
    await rm(path);
  }
}

async function replace(made: string): Promise<void> {
  const old = `${made}-old`;
  await rename(explorerDist, old).catch(ignoreMissing);
  // Another process may have put its own there meanwhile, made from the same sources.
  await rename(made, explorerDist).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  });
  await rm(old, { recursive: true, force: true });
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

if (import.meta.main) {
  const started = performance.now();
  const outcome = await buildExplorer();
  if (outcome === 'built') {
    process.stdout.write(
      `Built the GraphQL explorer in ${((performance.now() - started) / 1000).toFixed(1)} s\n`,
    );
  }
}
