import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/* npm run test:examples: the folder `examples` as its readers run it. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/examples/*.examples.ts'], maxWorkers: 1 },
});
