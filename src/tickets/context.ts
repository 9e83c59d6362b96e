import type { Limits } from '../config.ts';
import type { Database } from '../db/database.ts';
import type { EventHub } from '../events/hub.ts';
import type { Places } from '../limits/places.ts';
import type { RateLimits } from '../limits/rate-limits.ts';
import type { RequestContext } from '../platform/request-context.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { AttachmentUrls } from './read/signed-url.ts';

/** What the domain works with, made once by `createApp`. */
export interface Desk {
  /** Not the raw client: what the domain writes names columns of `db/tables.ts`. */
  readonly database: Omit<Database, 'raw'>;
  readonly blobs: BlobStore;
  /** Wakes those who watch a ticket. */
  readonly events: EventHub;
  /** Told of each live event how long after its commit its watcher is told of it. */
  readonly eventTold: (seconds: number) => void;
  /** Of those who watch. */
  readonly watching: Places;
  readonly limits: Limits;
  readonly rateLimits: RateLimits;
  readonly attachmentUrls: AttachmentUrls;
  /** Whether new files are scanned before they are mailed. */
  readonly scans: boolean;
  /**
   * Whether a mailbox without SMTP settings of its own can send: SMTP_URL is set, or the development inbox
   * serves.
   */
  readonly sendsByDefault: boolean;
}

/** The first parameter of every command and query of the domain but those that write messages. */
export interface DeskContext extends RequestContext {
  readonly desk: Desk;
}
