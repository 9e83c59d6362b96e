import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core';
import { roles, scopes } from '../platform/request-context.ts';
import {
  attemptPhases,
  cancelReasons,
  deliveryStates,
  eventTypes,
  formats,
  quotes,
  recipientKinds,
  recipientStates,
  scanStates,
  ticketStatuses,
  visibilities,
} from '../platform/vocabulary.ts';

/*
 * One page for every table. The migrations in schema/migrations are generated from here by drizzle-kit; what
 * it cannot say (roles, row-level security, sequences' grants) is written by hand in the migrations named
 * `*_security`.
 */

const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });
const createdAt = () => instant('created_at').notNull().defaultNow();
const id = () => integer('id').primaryKey().generatedByDefaultAsIdentity();
const oneOf = (column: string, values: readonly string[]) =>
  sql.raw(`${column} in (${values.map((value) => `'${value}'`).join(', ')})`);

export const users = pgTable(
  'users',
  {
    id: id(),
    login: text('login').notNull(),
    name: text('name').notNull(),
    /** Where mail to this person goes; a requester without one cannot be mailed. */
    email: text('email'),
    role: text('role', { enum: roles }).notNull(),
    /** `scrypt$…` (ours), or an imported ASP.NET Identity or bcrypt hash until the next sign-in. */
    passwordHash: text('password_hash'),
    disabledAt: instant('disabled_at'),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('users_login_key').on(sql`lower(${t.login})`),
    index('users_email_idx').on(sql`lower(${t.email})`),
    check('users_role_check', oneOf('role', roles)),
  ],
);

export const apiTokens = pgTable(
  'api_tokens',
  {
    id: id(),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text('name').notNull(),
    /** SHA-256 of the token, which is random: no salt is needed and the token is never stored. */
    tokenHash: bytea('token_hash').notNull().unique(),
    scopes: text('scopes', { enum: scopes }).array().notNull(),
    createdAt: createdAt(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [index('api_tokens_user_idx').on(t.userId)],
);

export const mailboxes = pgTable(
  'mailboxes',
  {
    id: id(),
    address: text('address').notNull(),
    displayName: text('display_name').notNull(),
    signature: text('signature').notNull().default(''),
    /** `smtp:` or `smtps:` URL without password; null: the desk's own SMTP_URL. */
    smtpUrl: text('smtp_url'),
    /** AES-256-GCM under the key in MAILBOX_KEY; null: no password. */
    smtpPassword: bytea('smtp_password'),
    /** Largest mail as encoded, bytes. */
    maxMailBytes: integer('max_mail_bytes').notNull().default(26_214_400),
    /** What the mail server said in reply to EHLO (SIZE), bytes; null: not heard yet, or no limit. */
    serverMaxMailBytes: integer('server_max_mail_bytes'),
    /** Mails a minute at most; null: as fast as the server takes them. */
    ratePerMinute: integer('rate_per_minute'),
    /** When the next mail keeps to `ratePerMinute`: moved on by each claim, under this row's lock. */
    pacedUntil: instant('paced_until').notNull().defaultNow(),
    /** Mails an hour to one and the same recipient at most; null: any number. */
    ratePerRecipientHour: integer('rate_per_recipient_hour'),
    disabledAt: instant('disabled_at'),
    createdAt: createdAt(),
  },
  (t) => [uniqueIndex('mailboxes_address_key').on(sql`lower(${t.address})`)],
);

export const mailboxGrants = pgTable(
  'mailbox_grants',
  {
    mailboxId: integer('mailbox_id')
      .notNull()
      .references(() => mailboxes.id, { onDelete: 'cascade' }),
    userId: integer('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.mailboxId, t.userId] })],
);

export const tickets = pgTable(
  'tickets',
  {
    id: id(),
    reference: text('reference').notNull(),
    /**
     * What a reference is looked up by. `lower()` may leak its argument for all PostgreSQL knows, so behind
     * row-level security an index on it is never used and every lookup would read the whole table; equality
     * with a column is safe.
     */
    referenceKey: text('reference_key').notNull().generatedAlwaysAs(sql`lower(reference)`),
    subject: text('subject').notNull(),
    status: text('status', { enum: ticketStatuses }).notNull().default('OPEN'),
    requesterId: integer('requester_id')
      .notNull()
      .references(() => users.id),
    /** The customer's own mail that opened the ticket: `<…@…>`; the first reply answers it. */
    originalMessageId: text('original_message_id'),
    /* The next columns change under the row's lock only, so that a command that waited reads them fresh. */
    lastMessageId: integer('last_message_id'),
    lastPublicMessageId: integer('last_public_message_id'),
    messageCount: integer('message_count').notNull().default(0),
    publicMessageCount: integer('public_message_count').notNull().default(0),
    /** Number of the last event; with `lastPublicEventNumber` the two classes of viewers each see no gap. */
    lastEventNumber: integer('last_event_number').notNull().default(0),
    lastPublicEventNumber: integer('last_public_event_number').notNull().default(0),
    createdAt: createdAt(),
  },
  (t) => [
    uniqueIndex('tickets_reference_key').on(t.referenceKey),
    index('tickets_requester_idx').on(t.requesterId, t.id),
    // A page or a count of the few tickets in one status would read through all the others.
    index('tickets_status_idx').on(t.status, t.id),
    check('tickets_status_check', oneOf('status', ticketStatuses)),
  ],
);

export const messages = pgTable(
  'messages',
  {
    id: id(),
    ticketId: integer('ticket_id')
      .notNull()
      .references(() => tickets.id),
    authorId: integer('author_id')
      .notNull()
      .references(() => users.id),
    body: text('body').notNull(),
    format: text('format', { enum: formats }).notNull(),
    visibility: text('visibility', { enum: visibilities }).notNull(),
    isMobileDevice: boolean('is_mobile_device').notNull(),
    /** What it is written in: a BCP 47 tag, canonical (`de-CH`); null: not said. */
    language: text('language'),
    redactedAt: instant('redacted_at'),
    createdAt: createdAt(),
  },
  (t) => [
    // A ticket's messages in order, and what a delivery refers to: a private message has no such place with
    // PUBLIC.
    unique('messages_place_key').on(t.ticketId, t.id, t.visibility),
    check('messages_format_check', oneOf('format', formats)),
    check('messages_visibility_check', oneOf('visibility', visibilities)),
  ],
);

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

/**
 * Where the outbox is at home: a copy of the database is somewhere else, and sends nothing until it is told
 * to. One row.
 */
export const outboxHomes = pgTable(
  'outbox_homes',
  {
    only: boolean('only').primaryKey().default(true),
    /** The cluster, the database and its table. */
    place: text('place').notNull(),
    timeline: integer('timeline').notNull(),
    /** Since when nothing is sent, and why; null: mails go. */
    heldAt: instant('held_at'),
    reason: text('reason'),
    createdAt: createdAt(),
  },
  (t) => [check('outbox_homes_only_check', sql`${t.only}`)],
);

/** Keys of the desk's own, which all of its processes share: random, made by the first that needs one. */
export const deskKeys = pgTable('desk_keys', {
  name: text('name').primaryKey(),
  key: bytea('key').notNull(),
  createdAt: createdAt(),
});

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

export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    messageId: integer('message_id').notNull().unique(),
    /**
     * Always PUBLIC: with the composite foreign key, a delivery of a private message or by another ticket
     * cannot exist.
     */
    visibility: text('visibility', { enum: visibilities }).notNull().default('PUBLIC'),
    ticketId: integer('ticket_id').notNull(),
    mailboxId: integer('mailbox_id')
      .notNull()
      .references(() => mailboxes.id),
    fromAddress: text('from_address').notNull(),
    fromName: text('from_name').notNull(),
    subject: text('subject').notNull(),
    /** The mailbox's signature when the message was written: what was previewed is what is sent. */
    signature: text('signature').notNull().default(''),
    /** Which earlier public messages the mail repeats below its own. */
    quote: text('quote', { enum: quotes }).notNull().default('NONE'),
    /** No person wrote it, as its author said: the mail says so as well (RFC 3834). */
    autoSubmitted: boolean('auto_submitted').notNull().default(false),
    /**
     * `<…@…>`: the same in every copy that is ever sent. Its 122 random bits keep it unique; no mail is
     * looked up by it.
     */
    rfcMessageId: text('rfc_message_id').notNull(),
    state: text('state', { enum: deliveryStates }).notNull(),
    /** Not to be claimed before; the hold, the schedule and the back-off are all this. */
    dueAt: instant('due_at').notNull().defaultNow(),
    attempts: integer('attempts').notNull().default(0),
    /** The fencing token of the attempt in flight. */
    attempt: uuid('attempt'),
    phase: text('phase', { enum: attemptPhases }),
    leaseUntil: instant('lease_until'),
    /** States that make a held delivery void when it is claimed. */
    cancelIf: text('cancel_if', { enum: cancelReasons }).array().notNull().default(sql`'{}'`),
    failure: text('failure'),
    /**
     * When a mail that is still deferred has failed: 5 days after its first attempt, or the first since an
     * operator's retry.
     */
    giveUpAt: instant('give_up_at'),
    settledAt: instant('settled_at'),
    createdAt: createdAt(),
    /** One of its files has not been scanned yet. It is not due before, whatever `dueAt` says. */
    awaitsScan: boolean('awaits_scan').notNull().default(false),
    /** With its foreign key: a delivery without a first recipient cannot exist. */
    firstRecipient: smallint('first_recipient').notNull().default(1),
  },
  (t) => [
    foreignKey({
      name: 'deliveries_place_fk',
      columns: [t.ticketId, t.messageId, t.visibility],
      foreignColumns: [messages.ticketId, messages.id, messages.visibility],
    }),
    check('deliveries_visibility_check', sql`${t.visibility} = 'PUBLIC'`),
    check('deliveries_state_check', oneOf('state', deliveryStates)),
    check('deliveries_first_recipient_check', sql`${t.firstRecipient} = 1`),
    check('deliveries_attempt_check', sql`(${t.state} = 'TRANSMITTING') = (${t.attempt} is not null)`),
    index('deliveries_lease_idx').on(t.leaseUntil).where(sql`state = 'TRANSMITTING'`),
    index('deliveries_state_idx').on(t.state, t.id),
    index('deliveries_ticket_idx').on(t.ticketId, t.id),
    // What a redaction has to look at: the mails that may repeat an earlier message.
    index('deliveries_quoting_idx').on(t.ticketId, t.messageId).where(sql`quote <> 'NONE'`),
    // What the worker asks: the next mails of one mailbox, and whether an earlier one of the same ticket is
    // still to go.
    index('deliveries_mailbox_due_idx')
      .on(t.mailboxId, t.dueAt, t.id)
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED') and not awaits_scan`),
    index('deliveries_ticket_pending_idx')
      .on(t.ticketId, t.id)
      .where(sql`state in ('QUEUED', 'HELD', 'DEFERRED', 'TRANSMITTING')`),
    index('deliveries_conditional_idx')
      .on(t.dueAt)
      .where(sql`cancel_if <> '{}' and state in ('QUEUED', 'HELD', 'DEFERRED')`),
    check('deliveries_quote_check', oneOf('quote', quotes)),
  ],
);

export const deliveryRecipients = pgTable(
  'delivery_recipients',
  {
    deliveryId: integer('delivery_id')
      .notNull()
      .references(() => deliveries.id),
    /** From 1, in the order of the headers: To, Cc, Bcc. */
    position: smallint('position').notNull(),
    kind: text('kind', { enum: recipientKinds }).notNull(),
    address: text('address').notNull(),
    name: text('name').notNull().default(''),
    state: text('state', { enum: recipientStates }).notNull().default('PENDING'),
    smtpReply: text('smtp_reply'),
    /** RFC 3463: `5.1.1`. */
    enhancedCode: text('enhanced_code'),
    /**
     * When their server took it, or may have; other recipients of the same mail may have to wait for days.
     */
    sentAt: instant('sent_at'),
  },
  (t) => [
    primaryKey({ columns: [t.deliveryId, t.position] }),
    // Who failed, and how often somebody was mailed within the hour.
    index('delivery_recipients_failed_idx').on(t.deliveryId).where(sql`state = 'FAILED'`),
    // Not by address: `lower()` may leak its argument for all PostgreSQL knows, so behind row-level security
    // an index by it finds nothing.
    index('delivery_recipients_sent_idx').on(t.sentAt).where(sql`sent_at is not null`),
    check('delivery_recipients_kind_check', oneOf('kind', recipientKinds)),
    check('delivery_recipients_state_check', oneOf('state', recipientStates)),
  ],
);

export const deliveryAttempts = pgTable(
  'delivery_attempts',
  {
    deliveryId: integer('delivery_id')
      .notNull()
      .references(() => deliveries.id),
    number: integer('number').notNull(),
    token: uuid('token').notNull(),
    worker: text('worker').notNull(),
    phase: text('phase', { enum: attemptPhases }).notNull().default('CONNECT'),
    startedAt: instant('started_at').notNull().defaultNow(),
    bodyAt: instant('body_at'),
    endedAt: instant('ended_at'),
    outcome: text('outcome', { enum: deliveryStates }),
    reply: text('reply'),
  },
  (t) => [primaryKey({ columns: [t.deliveryId, t.number] })],
);

/**
 * The exact source of what is sent, without blind copies: written before the first attempt comes to its first
 * byte, and sent as it is by every later one. Attachments are named by their place in it and not repeated.
 */
export const deliverySources = pgTable('delivery_sources', {
  deliveryId: integer('delivery_id')
    .primaryKey()
    .references(() => deliveries.id),
  /** All bytes but the attachments' base64 lines. */
  skeleton: bytea('skeleton').notNull(),
  /**
   * `[{ offset, blobKey, byteSize }]` in order: where in the skeleton each attachment's base64 lines belong.
   */
  inserts: jsonb('inserts').$type<{ offset: number; blobKey: string; byteSize: number }[]>().notNull(),
  createdAt: createdAt(),
});

export const events = pgTable(
  'events',
  {
    ticketId: integer('ticket_id')
      .notNull()
      .references(() => tickets.id),
    /** Gapless and in commit order within the ticket: assigned under its row's lock. */
    number: integer('number').notNull(),
    /**
     * The same among the public ones, so that a requester's cursor tells nothing of private events. Never
     * greater than `number`.
     */
    publicNumber: integer('public_number'),
    type: text('type', { enum: eventTypes }).notNull(),
    visibility: text('visibility', { enum: visibilities }).notNull(),
    /*
     * No foreign keys: the statement that writes the event wrote or held what it names, for an actor who had
     * signed in.
     */
    actorId: integer('actor_id'),
    messageId: integer('message_id'),
    deliveryId: integer('delivery_id'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.ticketId, t.number] }),
    check('events_public_check', sql`(${t.publicNumber} is not null) = (${t.visibility} = 'PUBLIC')`),
    check('events_type_check', oneOf('type', eventTypes)),
  ],
);

/**
 * Kept for 30 days. No foreign keys: its own statement wrote the message, for a user who had signed in, and
 * both outlive the key.
 */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    userId: integer('user_id').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of the coerced input with the resolved ticket and each file's name, type and digest. */
    fingerprint: bytea('fingerprint').notNull(),
    messageId: integer('message_id').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.userId, t.key] }),
    // Asked for old ones only, four times an hour: a B-tree would cost each message more than that is worth.
    index('idempotency_keys_created_idx').using('brin', t.createdAt),
  ],
);

export const auditEntries = pgTable('audit_entries', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  actorId: integer('actor_id').references(() => users.id),
  action: text('action').notNull(),
  ticketId: integer('ticket_id'),
  messageId: integer('message_id'),
  deliveryId: integer('delivery_id'),
  details: jsonb('details').notNull().default({}),
  createdAt: createdAt(),
});

/** What a list of mails shows of each, as its own headers tell it. */
export interface MailSummary {
  /** `Jane Doe <jane@example.org>` */
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string;
  /** Files beside the text; images inside it are not counted. */
  readonly attachments: number;
}

/** The development inbox's mails, as its SMTP server received them. */
export const inboxMails = pgTable('inbox_mails', {
  id: id(),
  mailFrom: text('mail_from').notNull(),
  /** Every RCPT TO, so blind copies too. */
  rcptTo: text('rcpt_to').array().notNull(),
  source: bytea('source').notNull(),
  /** Read from its headers when it came in, so that a list need not read whole mails. */
  summary: jsonb('summary').$type<MailSummary>().notNull(),
  /** The beginning of what it says, to be shown in a list and found by a search. */
  bodyText: text('body_text').notNull().default(''),
  receivedAt: instant('received_at').notNull().defaultNow(),
  /** When somebody first opened it. */
  readAt: instant('read_at'),
});

/**
 * What was counted of whom within the last minute, when all processes count together
 * (`RATE_LIMITS=postgres`).
 */
export const rateLimits = pgTable(
  'rate_limits',
  {
    key: varchar('key', { length: 255 }).primaryKey(),
    points: integer('points').notNull().default(0),
    /** Milliseconds since 1970. */
    expire: bigint('expire', { mode: 'number' }),
  },
  (t) => [index('rate_limits_expire_idx').on(t.expire)],
);
