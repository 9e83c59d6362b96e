import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { isExplorerBuilt } from './dev/explorer/build.ts';

/*
 * What `npm start` runs: one command that takes the shell's place, so that the signals that npm passes on
 * reach the gateway itself. A shell that waits for its command ends at a signal, and leaves the command
 * behind.
 */

/** In a process of its own, whose memory is given back, and which ends when this one is told to. */
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

if (!(await isExplorerBuilt())) await buildExplorer();
await import('./main.ts');
