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
import { bytea, createdAt, id, instant, oneOf } from './columns.ts';
import { messages } from './conversation.ts';
import { users } from './people.ts';

export const blobs = pgTable('blobs', {
  /** Opaque, random, never reused; names a file or an object of the blob store. */
  key: text('key').primaryKey(),
  byteSize: integer('byte_size').notNull(),
  sha256: bytea('sha256').notNull(),
  createdAt: createdAt(),
});

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
 * Uploads whose bytes are still arriving, by one request or several. What is done becomes an upload under the
 * same id.
 */
export const openUploads = pgTable(
  'open_uploads',
  {
    id: uuid('id').primaryKey(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    /** Of the blob store, which knows how much of it has arrived. */
    blobKey: text('blob_key').notNull().unique(),
    fileName: text('file_name').notNull(),
    contentType: text('content_type').notNull(),
    /** Bytes that its sender said there will be; null: not said yet. */
    byteSize: integer('byte_size'),
    /** What its sender said that the whole has. */
    sha256: bytea('sha256'),
    /** Bytes that the last request left behind; the blob store knows better. */
    arrived: integer('arrived').notNull().default(0),
    /** The request whose turn it is, and until when. */
    writer: uuid('writer'),
    leaseUntil: instant('lease_until'),
    /** Somebody else wants the next turn. */
    wanted: boolean('wanted').notNull().default(false),
    createdAt: createdAt(),
  },
  (t) => [index('open_uploads_user_idx').on(t.userId), index('open_uploads_created_idx').on(t.createdAt)],
);

/**
 * Which blob store is this database's own: one row, once the two have met. The store says the same of the
 * database.
 */
export const blobStores = pgTable(
  'blob_stores',
  {
    only: boolean('only').primaryKey().default(true),
    id: uuid('id').notNull(),
    /**
     * Counts collections. A store that has seen more of them than its database shows that the database is an
     * older one, restored.
     */
    generation: integer('generation').notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [check('blob_stores_only_check', sql`${t.only}`)],
);

export const attachments = pgTable(
  'attachments',
  {
    id: id(),
    messageId: integer('message_id')
      .notNull()
      .references(() => messages.id),
    position: smallint('position').notNull(),
    /** Null once redacted: the tombstone keeps the place and the size. */
    blobKey: text('blob_key').references(() => blobs.key),
    fileName: text('file_name').notNull(),
    contentType: text('content_type').notNull(),
    byteSize: integer('byte_size').notNull(),
    sha256: bytea('sha256').notNull(),
    /** What the message's HTML may name it by, after `cid:`; null: by its file name alone. */
    contentId: text('content_id'),
    /** Whether the message's HTML shows it: a picture in the text rather than a file beside it. */
    isInline: boolean('is_inline').notNull().default(false),
    redactedAt: instant('redacted_at'),
    /** The upload that it was, if it was one: an upload becomes an attachment once. */
    uploadId: uuid('upload_id'),
    /** Null: nobody scans files here, or nobody did when it came. */
    scan: text('scan', { enum: scanStates }),
    /** When it is to be scanned, or scanned again; null: it was. */
    scanDueAt: instant('scan_due_at'),
    /** What was found in it, in the scanner's words. */
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
