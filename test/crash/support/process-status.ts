import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';

/** What Linux reports about a process under /proc, which other systems do not have. */
export const hasProcessStatus = process.platform === 'linux';

export interface Memory {
  /** Resident bytes now. */
  readonly resident: number;
  /** The most that it ever was, since `forgetPeak`. */
  readonly peak: number;
}

export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
}

export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

/** What the process's open descriptors lead to: paths, and `socket:[…]`. */
export function openFilesOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      // Closed between the two looks.
      return [];
    }
  });
}
