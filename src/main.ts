import { enableCompileCache } from 'node:module';

/** The process: it reads the environment, starts the gateway, and ends it when it is told to. */
async function main(): Promise<void> {
  // Compiled once, loaded ever after: half of a warm start is compiling otherwise.
  enableCompileCache();
  const { readConfig } = await import('./config.ts');
  const config = readConfig(process.env);
  // The database needs a second to come up, and so does the program to be loaded: both at once.
  const embedded =
    config.database.kind === 'embedded'
      ? import('./db/embedded.ts').then(({ startEmbedded }) => startEmbedded(config.dataDir))
      : undefined;
  embedded?.catch(() => {});
  const { createApp } = await import('./app.ts');
  const { welcome } = await import('./welcome.ts');
  const app = await createApp(config, { embedded });
  process.stdout.write(welcome(config, app));
  let stopping = false;
  const stop = async (signal: string) => {
    // A second signal means it.
    if (stopping) process.exit(1);
    stopping = true;
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
