/*
 * The entry of `npm start`: a single command, so that npm's shell replaces itself with this process, which
 * then receives the signals that npm forwards. A shell that waits for several commands would exit on a
 * signal and leave the gateway running.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isExplorerBuilt } from './dev/explorer/build.ts';

/** Builds in a child process, which frees its memory. The child is stopped with this process. */
async function buildExplorer(): Promise<void> {
  const program = fileURLToPath(new URL('./dev/explorer/build.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'inherit', 'inherit'] });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    child.once('exit', () => process.exit(1));
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) process.exit(code ?? 1);
  process.off('SIGTERM', end);
  process.off('SIGINT', end);
}

if (!(await isExplorerBuilt())) {
  process.stdout.write('Building the GraphQL explorer …\n');
  await buildExplorer();
}
await import('./main.ts');
