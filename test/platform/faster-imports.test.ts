import { existsSync, globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const folder = new URL('../../node_modules/drizzle-orm/', import.meta.url);

/*
 * Assumptions of `src/platform/process/faster-imports.ts` that another version of Node or of a package might
 * break.
 */
test('drizzle-orm is one package of ES modules that import each other by relative paths of files', () => {
  const { type } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { type: string };
  expect(type).toBe('module');
  const cwd = fileURLToPath(folder);
  expect(globSync('*/**/package.json', { cwd })).toEqual([]);
  const modules = globSync('{*,pg-core/**/*,postgres-js/**/*,sql/**/*}.js', { cwd });
  expect(modules.length).toBeGreaterThan(100);
  const missing = modules.flatMap((module) => {
    const from = new URL(module, folder);
    const imports = readFileSync(from, 'utf8').matchAll(/\bfrom "(\.[^"]+)"/g);
    return [...imports]
      .map(([, path]) => path!)
      .filter((path) => !path.endsWith('.js') || !existsSync(new URL(path, from)));
  });
  expect(missing).toEqual([]);
});
