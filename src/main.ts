import { enableCompileCache } from 'node:module';

const sameSignalMs = 1000;

/** The process: it reads the environment, starts the gateway, and ends it when it is told to. */
async function main(): Promise<void> {
  // Compiled once, loaded ever after: half of a warm start is compiling otherwise.
  enableCompileCache();
  const { readConfig } = await import('./config.ts');
  const config = readConfig(process.env);
  // The database needs a second to come up, and so does the program to be loaded: both at once.
  const embedded =
    config.database.kind === 'embedded'
      ? import('./dev/embedded-postgres/embedded.ts').then(({ startEmbedded }) =>
          startEmbedded(config.dataDir),
        )
      : undefined;
  embedded?.catch(() => {});
  const { createApp } = await import('./app.ts');
  const { welcome } = await import('./welcome.ts');
  const app = await createApp(config, { embedded });
  process.stdout.write(welcome(config, app));
  let stoppingSince: number | undefined;
  const stop = async (signal: string) => {
    if (stoppingSince !== undefined) {
      // A second signal means it. One that comes with the first is the same one: a terminal's Ctrl-C, or a
      // supervisor that signals the whole group, reaches this process by itself and once more through npm.
      if (performance.now() - stoppingSince > sameSignalMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    app.log.info({ signal }, 'draining');
    await app[Symbol.asyncDispose]();
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch(async (error: unknown) => {
  const { describeStartError } = await import('./start-error.ts');
  const trace = error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${describeStartError(error) ?? trace}\n`);
  process.exit(1);
});
