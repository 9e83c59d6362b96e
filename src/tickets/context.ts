import type { Limits } from '../config.ts';
import type { Database } from '../db/database.ts';
import type { Feeds } from '../events/feeds.ts';
import type { ConcurrencyLimit } from '../limits/concurrency-limit.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { SearchTurns } from '../limits/search-turns.ts';
import type { RequestContext, Role } from '../platform/request-context.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { DryRun } from './add-message/commit/check-rows.ts';
import type { GroupCommit } from './add-message/commit/group-commit.ts';
import type { BatchedTicketRead } from './events/ticket-position.ts';
import type { AttachmentUrls } from './read/signed-url.ts';

/** Services that the commands and queries use, made once by `createApp`. */
export interface TicketServices {
  /** The database, without the raw client, because SQL of the domain names columns of `db/tables.ts`. */
  readonly database: Omit<Database, 'raw'>;
  readonly blobs: BlobStore;
  /** Writes new messages. */
  readonly groupCommit: GroupCommit;
  /**
   * Checks a new message by the rules that need the database, without a lock or a write. Returns the first
   * rule that refuses it, or what its mail would be made of.
   */
  readonly dryRun: DryRun;
  /** Reads events once for all who watch the same. */
  readonly events: Feeds;
  /** Reads the events of tickets for their watchers. */
  readonly readEventsTogether: BatchedTicketRead;
  /** Called for each live event, with the seconds from its commit until it was sent to the watcher. */
  readonly eventDelivered: (seconds: number) => void;
  /** Limits how many subscriptions a user has at a time. */
  readonly subscriptionLimit: ConcurrencyLimit;
  /** Bounds the searches of each role that run at once: each may take a connection for seconds. */
  readonly searchTurns: Readonly<Record<Role, SearchTurns>>;
  /** Limits of sizes and numbers, from the settings. */
  readonly limits: Limits;
  readonly rateLimits: RateLimits;
  /** Signs the URLs of attachments, and checks their signatures. */
  readonly attachmentUrls: AttachmentUrls;
  /** Whether new files are scanned before they are mailed. */
  readonly scans: boolean;
  /**
   * Whether a mailbox without SMTP settings of its own can send: SMTP_URL is set, or the development inbox
   * runs.
   */
  readonly sendsByDefault: boolean;
}

/** The first parameter of every command and query of the domain. */
export interface TicketContext extends RequestContext {
  readonly services: TicketServices;
}
