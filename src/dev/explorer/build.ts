import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants } from 'node:zlib';

const sources = fileURLToPath(new URL('.', import.meta.url));
const dist = fileURLToPath(new URL('../../../dist/', import.meta.url));
/** The directory of the built page: `index.html`, and `assets/*.br`. */
export const explorerDist = join(dist, 'explorer');
/** The page is built again when the version of one of these changes. */
const packages = [
  ...['graphiql', '@graphiql/react', '@graphiql/plugin-doc-explorer', '@graphiql/plugin-history'],
  ...['monaco-editor', 'monaco-graphql', 'graphql', 'react', 'react-dom', 'vite'],
];

/**
 * Builds the explorer page unless it was built from the same sources and packages, which takes some
 * milliseconds to check.
 * @returns `unavailable`: the development packages are not installed, and an existing page is unchanged
 */
export async function buildExplorer(): Promise<'fresh' | 'built' | 'unavailable'> {
  const stamp = await fingerprint();
  if (stamp === undefined) return 'unavailable';
  if (stamp === (await readStamp())) return 'fresh';
  // Built beside the old one and then renamed, so that processes that start together never see half a page.
  const made = join(dist, `.explorer-${process.pid}`);
  try {
    await bundle(made);
    await compress(join(made, 'assets'));
    await writeFile(join(made, 'stamp'), stamp);
    await replace(made);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
  return 'built';
}

/**
 * Whether there is nothing to build: the page is up to date, or the packages to build it are not installed.
 */
export async function isExplorerBuilt(): Promise<boolean> {
  const stamp = await fingerprint();
  return stamp === undefined || stamp === (await readStamp());
}

const readStamp = () => readFile(join(explorerDist, 'stamp'), 'utf8').catch(() => '');

async function bundle(outDir: string): Promise<void> {
  const { NODE_ENV } = process.env;
  // With another value React's development build would be bundled, and the stamp would not tell.
  process.env.NODE_ENV = 'production';
  try {
    const { build } = await import('vite');
    await build({ configFile: join(sources, 'vite.config.ts'), build: { outDir } });
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = NODE_ENV;
  }
}

/** SHA-256 of the sources and of the packages' versions; undefined when a package is missing. */
async function fingerprint(): Promise<string | undefined> {
  const hash = createHash('sha256');
  const { resolve } = createRequire(import.meta.url);
  for (const name of packages) {
    const at = (resolve.paths(name) ?? [])
      .map((folder) => join(folder, name, 'package.json'))
      .find(existsSync);
    if (at === undefined) return undefined;
    hash.update(`${name} ${(JSON.parse(await readFile(at, 'utf8')) as { version: string }).version}\n`);
  }
  const entries = await readdir(sources, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((file) => join(file.parentPath, file.name));
  for (const file of files.sort()) {
    hash.update(`${relative(sources, file)}\n`).update(await readFile(file));
  }
  return hash.digest('hex');
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
  // Another process may have put its own page there meanwhile, built from the same sources.
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
