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

export const straceQuietly = ['-f', '-qq', '-o', '/dev/null'];
export const hasTmpfs = unless(mountsTmpfs(), 'no right to mount a tmpfs, so no full disk');
export const hasStrace = unless(
  spawnSync('strace', [...straceQuietly, 'true']).status === 0,
  'no strace (Debian: apt-get install strace), so no fsync that fails or kills',
);
