/* Entry of the command line. The gateway itself is started by src/main.ts. */

import '../platform/process/faster-imports.ts';

const { run } = await import('./run.ts');

// A reader that has read enough, as `head` does, is no fault; a full disk is one.
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return;
  process.stderr.write(`The output cannot be written: ${message}\n`);
  process.exit(1);
});

process.exitCode = await run(process.argv.slice(2), process, {
  env: process.env,
  whenInterrupted() {
    const interrupted = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort());
    // The reader of our lines has gone.
    process.stdout.on('error', () => interrupted.abort());
    return interrupted.signal;
  },
  async open(embedded) {
    const [{ readConfig }, { openDesk }] = await Promise.all([
      import('../config.ts'),
      import('./open-desk.ts'),
    ]);
    const config = readConfig(process.env);
    for (const warning of config.warnings) process.stderr.write(`${warning}\n`);
    const onOpen = (database: string) => process.stderr.write(`On ${database}\n`);
    return openDesk(config, { makeEmbedded: embedded, onOpen });
  },
});
