import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process's command line, one string; undefined when there is none, or only its zombie. */
export function commandLineOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // Empty for a zombie. `ps` is not in every container; /proc is.
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() || undefined;
    } catch {
      return undefined;
    }
  }
  const ps = spawnSync('ps', ['-ww', '-o', 'stat=,command=', '-p', String(pid)], { encoding: 'utf8' });
  const [state, ...command] = ps.stdout?.trim().split(/\s+/) ?? [];
  return state && !state.startsWith('Z') ? command.join(' ') : undefined;
}
