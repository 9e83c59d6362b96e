import { createApp } from './app.ts';
import { ConfigError, readConfig } from './config.ts';
import { welcome } from './welcome.ts';

/** The process: it reads the environment, starts the gateway, and ends it when it is told to. */
async function main(): Promise<void> {
  const config = readConfig(process.env);
  const app = await createApp(config);
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

main().catch((error: unknown) => {
  const expected = error instanceof ConfigError || (error instanceof Error && error.name === 'EmbeddedInUse');
  process.stderr.write(
    expected ? `${(error as Error).message}\n` : `${error instanceof Error ? error.stack : error}\n`,
  );
  process.exit(1);
});
