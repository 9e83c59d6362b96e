import { createWorker } from '../mail/worker/worker.ts';
import { createScanWorker } from '../scan/worker.ts';
import { startMessageSearchIndexer } from '../tickets/message-search-indexer.ts';
import type { Foundation } from './foundation.ts';
import type { Monitoring } from './monitoring.ts';
import { warnOfUnscannedFiles } from './start-checks.ts';
import { startWebhooks } from './start-webhooks.ts';

/**
 * Starts the work that no request waits for, which stops with `foundation.parts`. With the role `worker`, the
 * process sends mail and webhooks and indexes messages for the search. With CLAMD_URL, a process of any role
 * scans files; without, it logs a warning if files wait for a scan.
 */
export async function startBackground(foundation: Foundation, { metrics }: Monitoring): Promise<void> {
  const { config, parts, database, blobs, smtpUrl, now, log } = foundation;
  if (config.roles.has('worker')) {
    const { attempt: attempted } = metrics;
    const { mailboxKey } = config;
    const drain = { endsMs: config.drainSeconds * 1000 };
    parts
      .use(createWorker({ sql: database.raw, blobs, smtpUrl, mailboxKey, now, log, attempted, drain }))
      .start();
    parts.use(startMessageSearchIndexer(database.desk, log));
    startWebhooks(foundation, metrics);
  }
  if (config.clamd === undefined) return warnOfUnscannedFiles(database, log);
  parts.use(createScanWorker({ sql: database.raw, blobs, clamd: config.clamd, log })).start();
}
