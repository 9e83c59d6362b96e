import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Logger } from '../../platform/log.ts';

/** At most so often is a line written about connections that were refused. */
const logEveryMs = 10_000;

/** Descriptors that are enough for everything but connections, however many of those there are. */
const enoughForOthers = 8192;

/**
 * Limits a server's connections, so that half of the process's descriptors, or 8192 if that is less, are left
 * to files, the database and mail servers. Otherwise connections could take the last descriptor, and requests
 * that were accepted would fail. A connection over the limit is closed at once, so that a proxy tries the
 * next process. There is no limit where the number of descriptors is not known: elsewhere than on Linux.
 */
export function boundConnections(server: Server, log: Logger): void {
  const limit = openFilesLimit();
  const most = Math.max(Math.floor(limit / 2), limit - enoughForOthers);
  if (!Number.isFinite(most)) return;
  server.maxConnections = most;
  let refused = 0;
  let loggedAt = Number.NEGATIVE_INFINITY;
  server.on('drop', () => {
    refused += 1;
    const now = performance.now();
    if (now - loggedAt < logEveryMs) return;
    log.warn({ connections: most, refused }, 'connections refused: too many are open (raise ulimit -n)');
    refused = 0;
    loggedAt = now;
  });
}

/** `ulimit -n`, which Linux alone tells a program without a report. */
function openFilesLimit(): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY;
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}
