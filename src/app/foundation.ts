import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { createClock } from '../db/synchronized-clock.ts';
import type { DemoDesk } from '../dev/demo/seed-desk.ts';
import { startInbox } from '../dev/inbox/smtp/server.ts';
import { openTracing } from '../observe/tracing.ts';
import { createLog, type Logger } from '../platform/log.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import { type CollectionSchedule, startCollectionSchedule } from '../storage/garbage/schedule.ts';
import { openCheckedStore } from '../storage/open-store.ts';
import { startDatabase } from './database.ts';
import type { Overrides } from './overrides.ts';
import { prepareDemo } from './prepare-demo.ts';
import { assertCanSend, assertExplorerBuilt } from './start-checks.ts';

/** What every process needs, whatever its roles: settings, log, database and blob store. */
export interface Foundation {
  readonly config: Config;
  readonly overrides: Overrides;
  /** Stopped when the process ends, in reverse order. */
  readonly parts: AsyncDisposableStack;
  readonly log: Logger;
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Runs the garbage collection of blobs. */
  readonly collectionSchedule: CollectionSchedule;
  /** The time by the database's clock. */
  readonly now: () => Date;
  /** Credentials of the demo desk, when there is one. */
  readonly demo: DemoDesk | undefined;
  /** Whether mail goes to the development inbox. */
  readonly hasInbox: boolean;
  /**
   * URL of the SMTP server for mailboxes without SMTP settings of their own: SMTP_URL's, or the development
   * inbox's. Undefined: nothing can be sent from such mailboxes.
   */
  readonly smtpUrl: string | undefined;
}

/**
 * Starts and checks what every process needs: tracing, the database with its current tables, the database's
 * clock, the demo desk, the blob store with its garbage collection, and the development inbox.
 * @param parts receives everything that has to be stopped, also when this function throws
 * @throws ConfigError when a setting, or the resource that it names, has to be changed before a start;
 *   EmbeddedInUse or EmbeddedUnavailable when the embedded PostgreSQL cannot start; any other error is a
 *   fault
 */
export async function openFoundation(
  config: Config,
  overrides: Overrides,
  parts: AsyncDisposableStack,
): Promise<Foundation> {
  const log = overrides.log ?? createLog(config.logLevel);
  assertExplorerBuilt(config);
  for (const warning of config.warnings) log.warn(warning);
  if (config.tracesUrl !== undefined) parts.use(await openTracing(config.tracesUrl));
  const database = await startDatabase(config, overrides, parts, log);
  const now = overrides.now ?? parts.use(await createClock(database.raw, log)).now;
  const demo = await prepareDemo(config, database, log);
  const blobs = await openCheckedStore(config.blobs, database.desk);
  const { keepDays } = config;
  const collectionSchedule = parts.use(
    startCollectionSchedule({ db: database.desk, blobs, log, keepDays, now }),
  );
  const inbox =
    config.smtp.kind === 'inbox' ? parts.use(await startInbox(database.desk, { log })) : undefined;
  const smtpUrl = inbox?.url ?? (config.smtp.kind === 'url' ? config.smtp.url : undefined);
  await assertCanSend(smtpUrl, database);
  const hasInbox = inbox !== undefined;
  return { config, overrides, parts, log, database, blobs, collectionSchedule, now, demo, hasInbox, smtpUrl };
}
