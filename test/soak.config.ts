import { globSync, readFileSync } from 'node:fs';
import { defineConfig } from 'vitest/config';
import base from '../vitest.config.ts';

/** The tests that flood or kill, and those of which `npm test` runs samples. */
const include = [
  ...globSync('test/**/*.soak.ts'),
  ...globSync('test/**/*.test.ts').filter((file) => readFileSync(file, 'utf8').includes('/support/soak.ts')),
];

export default defineConfig({ ...base, test: { ...base.test, include, env: { SOAK: '1' } } });
