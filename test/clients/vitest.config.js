import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/* npm run test:clients: real clients, from packages and a lock file of their own. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['clients', 'defaults', 'frontends', 'graphcache', 'relay'].map(
      (name) => `test/clients/${name}.js`,
    ),
    maxWorkers: 1,
  },
});
