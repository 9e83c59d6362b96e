import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { Logger } from '../../platform/log.ts';

/** Shortest interval between two lines of the log about connections that were refused, in milliseconds. */
const logEveryMs = 10_000;

/** Most descriptors that are kept for everything but connections. */
const enoughForOthers = 8192;

/**
 * Limits a server's connections by setting `maxConnections`, and logs refused ones. Half of the descriptors
 * that the process may open (`ulimit -n`), or 8192 if that is less, are kept for files, the database and mail
 * servers. Otherwise connections could take the last descriptor, and requests that were accepted would fail.
 * A connection over the limit is closed at once, so that a proxy tries the next process. Only Linux reports
 * the limit of descriptors; on other systems, connections are not limited.
 */
export function boundConnections(server: Server, log: Logger): void {
  const limit = openFilesLimit();
  const most = Math.max(Math.floor(limit / 2), limit - enoughForOthers);
  if (!Number.isFinite(most)) return;
  server.maxConnections = most;
  logRefusals(server, log);
}

/**
 * Logs, as warnings, the first connection that a server refuses, and after each interval how many it has
 * refused since. So each refused connection of a burst is counted, even if none is refused after the burst;
 * the last count is logged when the server closes. It does not set the limit.
 * @param everyMs interval in milliseconds, by default 10 s
 */
export function logRefusals(server: Server, log: Logger, everyMs = logEveryMs): void {
  let refused = 0;
  let pause: NodeJS.Timeout | undefined;
  function tell(): void {
    clearTimeout(pause);
    pause = undefined;
    if (refused === 0) return;
    const connections = server.maxConnections;
    log.warn({ connections, refused }, 'connections refused: too many are open (raise ulimit -n)');
    refused = 0;
    pause = setTimeout(tell, everyMs).unref();
  }
  server.on('drop', () => {
    refused += 1;
    if (pause === undefined) tell();
  });
  server.on('close', tell);
}

/** `ulimit -n`; infinite where it is not known. */
function openFilesLimit(): number {
  if (process.platform !== 'linux') return Number.POSITIVE_INFINITY;
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}
