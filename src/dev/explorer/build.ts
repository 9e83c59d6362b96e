import { exec, execFile } from 'node:child_process';
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
 * both. To work on the page, run `npm ci --prefix src/dev/explorer` once; builds then use that tree.
 */

const sources = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../../', import.meta.url));
const dist = join(root, 'dist');
/** Path of the directory with the built page: `index.html`, and `assets/*.br`, compressed by Brotli. */
export const explorerDist = join(dist, 'explorer');
/** The page is built again when the version of one of these changes. The lock file here covers the rest. */
const builders = ['vite', 'typescript'];

/**
 * Builds the explorer page and checks its types, unless it was built from the same sources and packages,
 * which takes some milliseconds to find out. If the page's own packages are not installed, npm installs them
 * for the build and they are removed again. The new page replaces the old one when it is complete.
 * @returns `fresh`: the page was current; `built`: it was built; `unavailable`: the development packages are
 *   not installed, and an existing page is unchanged
 * @throws Error when npm, the bundler or the check of the types fails; an existing page is unchanged
 */
export async function buildExplorer(): Promise<'fresh' | 'built' | 'unavailable'> {
  const stamp = await fingerprint();
  if (stamp === undefined) return 'unavailable';
  if (stamp === (await readStamp())) return 'fresh';
  // Built beside the old one and then renamed, so that processes that start together never see half a page.
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

/** Whether there is nothing to build: the page is current, or the packages to build it are not installed. */
export async function isExplorerBuilt(): Promise<boolean> {
  const stamp = await fingerprint();
  return stamp === undefined || stamp === (await readStamp());
}

/** Why the page cannot be served in production, where a start does not build it; undefined: it can. */
export const whyNotBuilt = (): string | undefined =>
  existsSync(join(explorerDist, 'index.html'))
    ? undefined
    : 'the page is not built; `npm ci --include=dev` builds it, and dist/ can be copied from another machine';

const readStamp = () => readFile(join(explorerDist, 'stamp'), 'utf8').catch(() => '');

/** Returns a folder with the sources and the page's packages: this one, or a copy at `copy`. */
async function installed(copy: string): Promise<string> {
  if (existsSync(join(sources, 'node_modules'))) return sources;
  await cp(sources, copy, { recursive: true });
  await promisify(exec)('npm ci --ignore-scripts', { cwd: copy });
  return copy;
}

/** Bundles the page and checks its types. */
async function build(from: string, outDir: string): Promise<void> {
  const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  // Without a shell, which would expand a $ in a path.
  const types = promisify(execFile)(process.execPath, [typescript, '--noEmit', '-p', from]);
  await Promise.all([types.catch(explain), bundle(from, outDir)]);
}

/** The compiler prints its errors on standard output. */
function explain(error: Error & { stdout?: string }): never {
  throw new Error(`The types of the GraphQL explorer: ${error.stdout}`, { cause: error });
}

async function bundle(from: string, outDir: string): Promise<void> {
  const { NODE_ENV } = process.env;
  // With another value, React's development build would be bundled without changing the stamp.
  process.env.NODE_ENV = 'production';
  try {
    const { build } = await import('vite');
    await build({ configFile: join(from, 'vite.config.ts'), build: { outDir } });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

/** SHA-256 of the sources and of the builders' versions; undefined when a builder is missing. */
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
 * Replaces the files by their Brotli versions, a quarter of the bytes. Every browser accepts them, and for
 * other clients they are decompressed when they are sent.
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
