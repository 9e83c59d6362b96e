import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/* npm run test:amplification: measured alone, as it counts the CPU and the memory of its own process. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ['test/amplification/table.ts'], maxWorkers: 1, testTimeout: 3_600_000 },
});
