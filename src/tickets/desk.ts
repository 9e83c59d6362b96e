import type { Limits } from '../config.ts';
import type { RequestContext } from '../context.ts';
import type { Database } from '../db/database.ts';
import type { EventHub } from '../events/hub.ts';
import type { Places } from '../places.ts';
import type { BlobStore } from '../storage/blob-store.ts';
import type { AttachmentUrls } from './attachment-url.ts';
import type { Judged } from './judge-statement.ts';
import type { MessageWriter } from './message-writer.ts';
import type { NewMessageRow } from './new-message-row.ts';

/** What the domain works with, made once by `createApp`. */
export interface Desk {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly writer: MessageWriter;
  /** What would refuse a row, without a lock or a write. */
  readonly judge: (row: NewMessageRow) => Promise<Judged[]>;
  /** Wakes those who watch a ticket. */
  readonly events: EventHub;
  /** Of those who watch. */
  readonly watching: Places;
  readonly limits: Limits;
  readonly attachmentUrls: AttachmentUrls;
  /** Whether new files are scanned before they are mailed. */
  readonly scans: boolean;
  /** Whether a mailbox without SMTP settings of its own can send: SMTP_URL is set, or the development inbox serves. */
  readonly sendsByDefault: boolean;
}

/** The first parameter of every command and query of the domain. */
export interface DeskContext extends RequestContext {
  readonly desk: Desk;
}
