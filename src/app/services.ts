import { findDeskKey } from '../db/desk-key.ts';
import type { Feeds } from '../events/feeds.ts';
import { ConcurrencyLimit } from '../limits/concurrency-limit.ts';
import { createRateLimits } from '../limits/rate-limits.ts';
import { SearchTurns } from '../limits/search-turns.ts';
import type { Metrics } from '../observe/metrics.ts';
import { createDryRun } from '../tickets/add-message/commit/check-rows.ts';
import { createGroupCommit } from '../tickets/add-message/commit/group-commit.ts';
import type { TicketServices } from '../tickets/context.ts';
import { createBatchedTicketRead } from '../tickets/events/batched-ticket-reads.ts';
import { createAttachmentUrls } from '../tickets/read/signed-url.ts';
import type { Foundation } from './foundation.ts';

/**
 * Creates what the commands and readers of tickets need, from the configuration and what is open already. It
 * reads the desk's key for attachment URLs from the database, and creates it if there is none yet; processes
 * that start together get the same one. The group commit, which writes new messages, is registered in `parts`
 * and stops with them; nothing else has to be stopped.
 */
export async function createTicketServices(
  { config, overrides, parts, database, blobs, smtpUrl }: Foundation,
  metrics: Metrics,
  events: Feeds,
): Promise<TicketServices> {
  const sendsByDefault = smtpUrl !== undefined;
  return {
    database,
    blobs,
    groupCommit: parts.use(
      createGroupCommit(database.writer, sendsByDefault, {
        // Half of a statement's time limit, which leaves time for an answer.
        lockPatience: config.databaseTimeout * 500,
        ...overrides.writer,
      }),
    ),
    dryRun: createDryRun(database.desk, sendsByDefault),
    events,
    readEventsTogether: createBatchedTicketRead({ database }),
    eventDelivered: metrics.eventDelivered,
    subscriptionLimit: new ConcurrencyLimit('TOO_MANY_SUBSCRIPTIONS', config.limits.subscriptions),
    searchTurns: {
      OPERATOR: new SearchTurns(Math.ceil(config.poolSize / 2), 2),
      REQUESTER: new SearchTurns(Math.ceil(config.poolSize / 2), 2),
    },
    limits: config.limits,
    rateLimits: createRateLimits(
      config.rateLimits,
      (text, values) => database.raw.unsafe(text, values as never[], { prepare: true }),
      metrics.rateLimited,
    ),
    attachmentUrls: createAttachmentUrls(await findDeskKey(database.desk, 'attachment-urls')),
    scans: config.clamd !== undefined,
    sendsByDefault,
  };
}
