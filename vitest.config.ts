import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import type { Reporter, Vitest } from 'vitest/node';
import { compileCache, nodeOptions } from './test/support/node-options.ts';

process.env.NODE_COMPILE_CACHE ??= compileCache;

/** Says behind the failures how to repeat their order. */
const seedOfFailures: Reporter = (() => {
  let vitest: Vitest;
  return {
    onInit(started) {
      vitest = started;
    },
    onTestRunEnd: (_modules, _errors, reason) => {
      const { seed } = vitest.config.sequence;
      if (reason === 'failed') vitest.logger.log(`This order again: npx vitest run --sequence.seed ${seed}`);
    },
  };
})();

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/crash/**', '**/node_modules/**'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/equal-bytes.ts'],
    reporters: ['default', seedOfFailures],
    pool: 'forks',
    // Workers, and the processes that they fork, import as the program does. A heap that may grow is marked
    // eight times instead of 27 in a third of the tests, which saves a twentieth of all CPU.
    execArgv: [
      ...nodeOptions,
      '--initial-old-space-size=512',
      ...['--import', new URL('src/platform/process/faster-imports.ts', import.meta.url).href],
    ],
    // Tests wait for servers about as long as they compute.
    maxWorkers: availableParallelism() + 3,
    // Importing the gateway costs a second or more: a worker does it once, and each test builds its own world
    // anyway.
    isolate: false,
    // Modules are loaded by Node itself, as in production: vite would pick a second copy of graphql, and
    // every instanceof fail. No test replaces a module, so vitest need not look into each for that.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    // Against what hangs, not against what is slow: a busy machine takes many times as long.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 120_000, interval: 25 } },
    // Files and their tests in another order each time; `--sequence.seed` repeats the order that is printed.
    sequence: { shuffle: { files: true, tests: true } },
  },
});
