import type { App } from './app.ts';
import './platform/process/faster-imports.ts';

const sameSignalMs = 1000;

/** The gateway while it starts, and when it is at work: from then on it has to drain. */
interface Gateway {
  starting: Promise<App> | undefined;
  isAtWork: boolean;
}

/**
 * Installs the handlers of signals. Before the gateway is at work, a signal ends the process at once: nothing
 * is lost, and a start may wait for its database for long.
 * @returns a function that stops the process as a signal does
 */
function stopOnSignals(gateway: Gateway): (signal: string) => Promise<void> {
  let stoppingSince: number | undefined;
  const stop = async (signal: string) => {
    if (stoppingSince !== undefined) {
      // A second signal exits immediately. One that follows within a second is a duplicate of the first: a
      // signal to the whole process group (Ctrl-C, or a supervisor's) arrives directly and once more through
      // npm. That the reader of the output ends while this process drains is no second signal.
      if (signal !== 'SIGPIPE' && performance.now() - stoppingSince > sameSignalMs) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    if (!gateway.isAtWork) process.exit(0);
    // A start that fails is reported by `main`.
    const app = await gateway.starting?.catch(() => undefined);
    if (app === undefined) return;
    app.log.info({ signal }, 'draining');
    await app[Symbol.asyncDispose]();
    process.exit(0);
  };
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, stop);
  return stop;
}

/** The process: it reads the environment, starts the gateway, and stops it on a signal. */
async function main(): Promise<void> {
  const gateway: Gateway = { starting: undefined, isAtWork: false };
  // Before anything else: the first process of a container does not hear a signal that it has no handler for.
  const stop = stopOnSignals(gateway);
  const [{ readConfig }, { surviveOutputFaults }] = await Promise.all([
    import('./config.ts'),
    import('./platform/process/output-faults.ts'),
  ]);
  surviveOutputFaults(process.stdout, () => void stop('SIGPIPE'));
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
  const onWork = () => {
    gateway.isAtWork = true;
  };
  gateway.starting = createApp(config, { embedded, onWork });
  process.stdout.write(welcome(config, await gateway.starting));
}

main().catch(async (error: unknown) => {
  const { describeFault, describeStartError } = await import('./describe-start-error.ts');
  process.stderr.write(`${describeStartError(error) ?? describeFault(error)}\n`);
  process.exit(1);
});
