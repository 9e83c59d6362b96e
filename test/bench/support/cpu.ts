import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc, on every Linux that Node runs on. */
const ticks = 100;

/**
 * CPU time, ms, that a process has used so far, or with all of its children, ended ones too; NaN where there
 * is no /proc.
 */
export function cpuOf(pid: number, { withChildren = false } = {}): number {
  const own = readStat(pid);
  if (own === undefined) return Number.NaN;
  const ownMs = ofThreads(pid) ?? own.ms;
  if (!withChildren) return ownMs;
  let sum = ownMs + own.endedChildrenMs;
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readStat(Number(name)) : undefined;
    if (stat?.parent === pid) sum += ofThreads(Number(name)) ?? stat.ms;
  }
  return sum;
}

/** CPU time of the process's threads by the scheduler's nanoseconds; a tick is as long as 500 requests. */
function ofThreads(pid: number): number | undefined {
  try {
    const spent = (task: string) =>
      Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]);
    return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + spent(task) / 1e6, 0);
  } catch {
    return undefined;
  }
}

function readStat(pid: number): { parent: number; ms: number; endedChildrenMs: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in parentheses may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ms = (user: number) => ((Number(fields[user]) + Number(fields[user + 1])) * 1000) / ticks;
    return { parent: Number(fields[1]), ms: ms(11), endedChildrenMs: ms(13) };
  } catch {
    return undefined;
  }
}
