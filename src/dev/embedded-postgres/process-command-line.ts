import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * The command line of a process, with spaces between its words; undefined when there is no such process, when
 * it is a zombie, or when it is not visible from here. Read synchronously, from /proc on Linux and by `ps`
 * elsewhere.
 */
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
