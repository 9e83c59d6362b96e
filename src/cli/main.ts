/* Entry of the command line. The gateway itself is started by src/main.ts. */

import '../platform/process/faster-imports.ts';

const { run } = await import('./run.ts');

let outputFault: string | undefined;
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  // A reader that closes the pipe early, such as `head`, is not an error.
  if (code === 'EPIPE' || outputFault !== undefined) return;
  outputFault = message;
  process.stderr.write(`The output cannot be written: ${message}\n`);
});

// What goes there is for people to read. A command does not end half-way because nobody can read it.
process.stderr.on('error', () => {});

const exitCode = await run(process.argv.slice(2), process, {
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
    const onWait = (waitsFor: string) => process.stderr.write(`Waiting for ${waitsFor}\n`);
    return openDesk(config, { makeEmbedded: embedded, onOpen, onWait });
  },
});

// A stream reports its error after the call that wrote to it.
await new Promise(setImmediate);
process.exitCode = outputFault === undefined ? exitCode : 1;
