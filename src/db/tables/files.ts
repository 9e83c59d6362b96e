import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  pgTable,
  smallint,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { scanStates } from '../../platform/vocabulary.ts';
import { bytea, createdAt, id, instant, oneOf } from './column-types.ts';
import { messages } from './conversation.ts';
import { users } from './people.ts';

/**
 * The files in the blob store: key, size and digest of each. A row is written after its bytes are durable.
 */
export const blobs = pgTable('blobs', {
  /** Opaque, random, never reused: the name of a file or an object in the blob store. */
  key: text('key').primaryKey(),
  byteSize: integer('byte_size').notNull(),
  sha256: bytea('sha256').notNull(),
  createdAt: createdAt(),
});

/**
 * Finished uploads, which their user can attach to a message for 24 hours. Rows older than 25 hours are
 * deleted, whether the uploads were attached or not.
 */
export const uploads = pgTable(
  'uploads',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    blobKey: text('blob_key')
      .notNull()
      .references(() => blobs.key),
    fileName: text('file_name').notNull(),
    contentType: text('content_type').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    index('uploads_created_idx').on(t.createdAt),
    index('uploads_blob_idx').on(t.blobKey),
    index('uploads_user_idx').on(t.userId),
  ],
);

/**
 * Unfinished uploads, whose bytes arrive in one or several requests. A finished one becomes an upload with
 * the same id.
 */
export const openUploads = pgTable(
  'open_uploads',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Key in the blob store, which knows how many bytes have arrived. */
    blobKey: text('blob_key').notNull().unique(),
    fileName: text('file_name').notNull(),
    contentType: text('content_type').notNull(),
    /** Declared size; null: unknown. */
    byteSize: integer('byte_size'),
    /** Declared digest of the whole file. */
    sha256: bytea('sha256'),
    /** Size after the last request; the blob store's value takes precedence. */
    arrived: integer('arrived').notNull().default(0),
    /** The request that is writing, and the end of its lease. */
    writer: uuid('writer'),
    leaseUntil: instant('lease_until'),
    /** Another request is waiting to write. */
    wanted: boolean('wanted').notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [index('open_uploads_user_idx').on(t.userId), index('open_uploads_created_idx').on(t.createdAt)],
);

/**
 * The blob store that belongs to this database: one row, once they are paired. The store records the
 * database as well.
 */
export const blobStores = pgTable(
  'blob_stores',
  {
    only: boolean('only').primaryKey().default(true),
    id: uuid('id').notNull(),
    /**
     * Number of garbage collections. A store that has seen more than its database shows that the database is
     * an older backup.
     */
    generation: integer('generation').notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [check('blob_stores_only_check', sql`${t.only}`)],
);

/**
 * The files of messages: name, type, size and digest, the blob with the content, and the state of the virus
 * scan. A redacted file keeps its row without the blob.
 */
export const attachments = pgTable(
  'attachments',
  {
    id: id(),
    messageId: integer('message_id')
      .notNull()
      .references(() => messages.id),
    /** From 1, in the order of the input. */
    position: smallint('position').notNull(),
    /** Null once redacted; the row stays, with its position and its size. */
    blobKey: text('blob_key').references(() => blobs.key),
    fileName: text('file_name').notNull(),
    contentType: text('content_type').notNull(),
    byteSize: integer('byte_size').notNull(),
    sha256: bytea('sha256').notNull(),
    /**
     * The content id by which the message's HTML may refer to it, as `cid:…`; null: it refers by file name.
     */
    contentId: text('content_id'),
    /** Whether the message's HTML shows it as an image in the text. */
    isInline: boolean('is_inline').notNull().default(false),
    /** When its content was removed; null: it was not. */
    redactedAt: instant('redacted_at'),
    /** The upload that it came from, if any: an upload is attached once. */
    uploadId: uuid('upload_id'),
    /** Null: there was no scanner when it was stored. */
    scan: text('scan', { enum: scanStates }),
    /** When a scan is due, or due again; null: it has been scanned. */
    scanDueAt: instant('scan_due_at'),
    /** The scanner's name of what it found. */
    scanFound: text('scan_found'),
    createdAt: createdAt(),
  },
  (t) => [
    unique('attachments_place_key').on(t.messageId, t.position),
    index('attachments_blob_idx').on(t.blobKey),
    uniqueIndex('attachments_upload_key').on(t.uploadId).where(sql`upload_id is not null`),
    index('attachments_scan_idx').on(t.scanDueAt).where(sql`scan = 'PENDING'`),
    check('attachments_scan_check', oneOf('scan', scanStates)),
    check('attachments_blob_check', sql`(${t.blobKey} is null) = (${t.redactedAt} is not null)`),
  ],
);
