import './platform/process/faster-imports.ts';

const sameSignalMs = 1000;

/** The process: it reads the environment, starts the gateway, and stops it on a signal. */
async function main(): Promise<void> {
  const [{ readConfig }, { surviveOutputFaults }] = await Promise.all([
    import('./config.ts'),
    import('./platform/process/output-faults.ts'),
  ]);
  // Until the gateway runs there is nothing to drain.
  let onReaderGone = (): void => process.exit(1);
  surviveOutputFaults(process.stdout, () => onReaderGone());
  const config = readConfig(process.env);
  // The database and the program each take about a second to load, so they load in parallel.
  const embedded =
    config.database.kind === 'embedded'
      ? import('./dev/embedded-postgres/start-postgres.ts').then(({ existsEmbedded, startEmbedded }) => {
          if (!existsEmbedded(config.dataDir))
            process.stdout.write(`Creating a database in ${config.dataDir} …\n`);
          return startEmbedded(config.dataDir);
        })
      : undefined;
  embedded?.catch(() => {});
  const { createApp } = await import('./app.ts');
  const { welcome } = await import('./welcome.ts');
  const app = await createApp(config, { embedded });
  process.stdout.write(welcome(config, app));
  let stoppingSince: number | undefined;
  const stop = async (signal: string) => {
    if (stoppingSince !== undefined) {
      // A second signal exits immediately. One that follows within a second is a duplicate of the first: a
      // signal to the whole process group (Ctrl-C, or a supervisor's) arrives directly and once more through
      // npm.
      if (performance.now() - stoppingSince > sameSignalMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    app.log.info({ signal }, 'draining');
    await app[Symbol.asyncDispose]();
    process.exit(0);
  };
  // This does not count as a second signal: the reader of the output may well end while this process drains.
  onReaderGone = () => void (stoppingSince ?? stop('SIGPIPE'));
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop);
}

main().catch(async (error: unknown) => {
  const { describeFault, describeStartError } = await import('./describe-start-error.ts');
  process.stderr.write(`${describeStartError(error) ?? describeFault(error)}\n`);
  process.exit(1);
});
