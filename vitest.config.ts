import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/bench/**', 'test/crash/**', '**/node_modules/**'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // Tests wait for servers more than they compute: one worker a core, and none kept free for the runner.
    maxWorkers: 2,
    // Importing the gateway costs a second or more: a worker does it once, and each test builds its own world anyway.
    isolate: false,
    // Modules are loaded by Node itself, as in production: vite would pick a second copy of graphql, and every instanceof fail.
    experimental: { viteModuleRunner: false },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
