import { spawnSync } from 'node:child_process';

/** Why a fault test cannot run here; said aloud, as it hides nothing but this machine's means. */
function unless(able: boolean, why: string): boolean {
  if (!able) process.stderr.write(`\nSKIPPED in test/storage: ${why}\n`);
  return able;
}

function mountsTmpfs(): boolean {
  const probe = spawnSync('sh', [
    '-c',
    'd=$(mktemp -d) && mount -t tmpfs -o size=64k tmpfs "$d" && umount "$d" && rmdir "$d"',
  ]);
  return probe.status === 0;
}

const straceQuietly = ['-f', '-qq', '-o', '/dev/null'];

/**
 * The arguments of strace before the program's, to inject a fault into calls of one name. It stops at these
 * alone, which costs a quarter of stopping at all; only where it stops at all does a signal arrive.
 */
export const straceWith = (call: string, fault: string): string[] => [
  ...straceQuietly,
  ...(fault.startsWith('signal') ? [] : ['--seccomp-bpf', '-e', `trace=${call}`]),
  ...['-e', `inject=${call}:${fault}`],
];
export const hasTmpfs = unless(mountsTmpfs(), 'no right to mount a tmpfs, so no full disk');
export const hasStrace = unless(
  spawnSync('strace', [...straceQuietly, '--seccomp-bpf', 'true']).status === 0,
  'no strace 5.3 or later (Debian: apt-get install strace), so no fsync that fails or kills',
);
