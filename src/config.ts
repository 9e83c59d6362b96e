import { resolve } from 'node:path';
import type { RateLimitSettings } from './limits/rate-limits.ts';
import type { BlobPlace } from './settings/blobs-url.ts';
import type { Clamd } from './settings/clamd-url.ts';
import { MiB, readEnvironment, type Settings } from './settings/environment.ts';

export { ConfigError } from './settings/environment.ts';

/**
 * All settings, as read from the environment. Durations are in seconds and sizes in bytes unless a name says
 * otherwise.
 */
export interface Config {
  /** Address to listen on. */
  readonly host: string;
  /** Port to listen on; 0: any free one. */
  readonly port: number;
  /** Port of the health and metrics of a process that only sends mail; undefined: 4001 if that is free. */
  readonly workerPort: number | undefined;
  /** Days for which mails of the development inbox and audit entries are kept. */
  readonly keepDays: { readonly inboxMails: number; readonly auditEntries: number };
  /** URL of the OTLP receiver of traces; undefined: tracing is off. */
  readonly tracesUrl: string | undefined;
  /** Bearer token with which other machines may read /metrics; undefined: none may. */
  readonly metricsToken: string | undefined;
  /** Readiness says "degraded" when due mail has not moved for this long. */
  readonly mailStalledSeconds: number;
  /** How long a worker that is stopping waits for mails in transmission. */
  readonly drainSeconds: number;
  /** Absolute path of the folder of the embedded database and, without BLOBS_URL, of the attachments. */
  readonly dataDir: string;
  readonly logLevel: string;
  /**
   * `embedded`: a PostgreSQL that the gateway starts in `dataDir`. It has the demo desk when only this
   * machine can reach the gateway.
   */
  readonly database:
    | { readonly kind: 'embedded' }
    | {
        readonly kind: 'url';
        readonly url: string;
        /** The same database as the user that owns its tables, for migrations; `url` unless it is set. */
        readonly ownerUrl: string;
        readonly replicaUrls: readonly string[];
      };
  /** Maximum connections of each of the pools for requests; see `DatabaseOptions.poolSize`. */
  readonly poolSize: number;
  /** Seconds after which an unanswered statement is abandoned. */
  readonly databaseTimeout: number;
  /**
   * Where mail goes from mailboxes without SMTP settings of their own. `inbox`: to the development inbox;
   * `none`: nowhere, so that each mailbox needs its own.
   */
  readonly smtp:
    | { readonly kind: 'inbox' }
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'none' };
  /** Where files are stored. */
  readonly blobs: BlobPlace;
  /** 32 bytes; mailboxes' SMTP passwords are encrypted with it. Undefined: they cannot be set or used. */
  readonly mailboxKey: Buffer | undefined;
  /** Whose JWTs are accepted; undefined: none. */
  readonly jwt: { readonly jwksUrl: string; readonly issuer: string; readonly audience: string } | undefined;
  /** The code page of Basic credentials that are not UTF-8, by its name in the Encoding Standard. */
  readonly legacyCharset: string;
  /** Whether the demo desk is created: with an embedded database, when HOST is a loopback address. */
  readonly demo: boolean;
  /** Whether DATABASE_URL is set. NODE_ENV does not count. */
  readonly production: boolean;
  /** Whether `X-Forwarded-*` headers are believed. */
  readonly trustProxy: boolean;
  /**
   * Prefix of URLs in responses, without a trailing slash. Empty: they are relative. Undefined: the origin of
   * the request is used.
   */
  readonly publicUrl: string | undefined;
  /** The clamd that scans attachments; undefined: they are not scanned. */
  readonly clamd: Clamd | undefined;
  /** Whether GraphiQL is served: by default, unless DATABASE_URL is set. EXPLORER overrides that. */
  readonly explorer: boolean;
  /** What this process does: answers requests, sends mail, or both. */
  readonly roles: ReadonlySet<'web' | 'worker'>;
  /** Origins whose pages may call the gateway: exact ones, or `*`. */
  readonly corsOrigins: ReadonlySet<string>;
  /** Where webhooks may go: whether to private addresses too. */
  readonly webhooks: { readonly allowsPrivate: boolean };
  readonly limits: Limits;
  readonly rateLimits: RateLimitSettings;
  /** Path of a file that lists the only documents which may be executed; undefined: any document may. */
  readonly trustedDocuments: string | undefined;
  /** Likely mistakes that do not prevent a start, one text each, for the log. */
  readonly warnings: readonly string[];
}

/** Limits that protect the process and its users. Sizes are in bytes. */
export interface Limits {
  /** Body of a message. */
  readonly bodyBytes: number;
  /** One file. */
  readonly attachmentBytes: number;
  /** All files of a message. */
  readonly messageAttachmentsBytes: number;
  /** Number of files of a message. */
  readonly attachments: number;
  /** Number of recipients of a mail. */
  readonly recipients: number;
  /** Unfinished uploads of one user. */
  readonly openUploads: number;
  /** Bytes that one user has uploaded and not attached yet. */
  readonly uploadedBytes: number;
  /** Concurrent subscriptions of one user, per process. */
  readonly subscriptions: number;
  /** Concurrent multipart requests of one user to /graphql, per process. */
  readonly openForms: number;
  /** JSON body of a request to /graphql. */
  readonly requestBytes: number;
  /** Body of a request to the legacy endpoint. */
  readonly legacyRequestBytes: number;
  /** The data of one response of /graphql; one without data may be longer. */
  readonly responseBytes: number;
}

/**
 * Reads the settings from environment variables, with their defaults. An empty variable counts as unset.
 * Nothing is opened or connected to.
 * @throws ConfigError that lists every wrong setting, one on each line: `NAME: what is wrong`
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const { settings: e, warnings } = readEnvironment(env);
  const dataDir = resolve(e.DATA_DIR);
  const embedded = e.DATABASE_URL === undefined;
  return {
    host: e.HOST,
    port: e.PORT,
    workerPort: e.WORKER_PORT,
    tracesUrl: e.OTEL_EXPORTER_OTLP_ENDPOINT,
    keepDays: { inboxMails: e.INBOX_KEEP_DAYS, auditEntries: e.AUDIT_KEEP_DAYS },
    metricsToken: e.METRICS_TOKEN,
    drainSeconds: e.DRAIN_SECONDS,
    mailStalledSeconds: 60 * e.MAIL_STALLED_MINUTES,
    dataDir,
    logLevel: e.LOG_LEVEL,
    database: databaseOf(e),
    poolSize: e.DATABASE_POOL,
    databaseTimeout: e.DATABASE_TIMEOUT,
    smtp: smtpOf(e.SMTP_URL, embedded),
    blobs: e.BLOBS_URL ?? { kind: 'file', directory: resolve(dataDir, 'blobs') },
    mailboxKey: e.MAILBOX_KEY === undefined ? undefined : Buffer.from(e.MAILBOX_KEY, 'hex'),
    jwt: jwtOf(e),
    legacyCharset: e.LEGACY_CHARSET,
    demo: embedded && isLoopback(e.HOST),
    production: !embedded,
    trustProxy: e.TRUST_PROXY === '1',
    publicUrl: publicUrlOf(e.PUBLIC_URL),
    clamd: e.CLAMD_URL,
    explorer: e.EXPLORER === undefined ? embedded : e.EXPLORER === '1',
    roles: e.ROLES,
    corsOrigins: e.CORS_ORIGINS,
    webhooks: { allowsPrivate: e.WEBHOOK_PRIVATE_ADDRESSES === '1' },
    limits: limitsOf(e),
    trustedDocuments: e.TRUSTED_DOCUMENTS,
    rateLimits: rateLimitsOf(e),
    warnings,
  };
}

const databaseOf = ({
  DATABASE_URL: url,
  DATABASE_OWNER_URL: ownerUrl = url,
  DATABASE_REPLICA_URLS: replicaUrls,
}: Settings): Config['database'] =>
  url === undefined ? { kind: 'embedded' } : { kind: 'url', url, ownerUrl: ownerUrl!, replicaUrls };

function smtpOf(text: string | undefined, embedded: boolean): Config['smtp'] {
  if (text === 'inbox:' || (text === undefined && embedded)) return { kind: 'inbox' };
  return text === undefined ? { kind: 'none' } : { kind: 'url', url: text };
}

/** As browsers write it: links and headers with a blank or a name in another script would be broken. */
function publicUrlOf(text: string | undefined): string | undefined {
  const url = text === undefined || text === '/' ? text : new URL(text).href;
  return url?.replace(/\/+$/, '');
}

function jwtOf({ JWT_JWKS_URL: jwksUrl, JWT_ISSUER, JWT_AUDIENCE }: Settings): Config['jwt'] {
  // With one of the three settings the other two are required.
  return jwksUrl === undefined ? undefined : { jwksUrl, issuer: JWT_ISSUER!, audience: JWT_AUDIENCE! };
}

const limitsOf = (e: Settings): Limits => ({
  bodyBytes: e.MAX_BODY_BYTES,
  attachmentBytes: e.MAX_ATTACHMENT_BYTES,
  messageAttachmentsBytes: e.MAX_MESSAGE_ATTACHMENTS_BYTES,
  attachments: 20,
  recipients: 50,
  openUploads: e.MAX_OPEN_UPLOADS,
  uploadedBytes: e.MAX_UPLOADED_BYTES,
  subscriptions: e.MAX_SUBSCRIPTIONS,
  openForms: e.MAX_OPEN_FORMS,
  // Large enough for a body of the maximum size in which each byte is escaped as \u00xx, so that the command
  // refuses it and not the route.
  requestBytes: e.MAX_REQUEST_BYTES || 6 * e.MAX_BODY_BYTES + MiB,
  legacyRequestBytes: e.MAX_LEGACY_REQUEST_BYTES,
  responseBytes: e.MAX_ANSWER_BYTES,
});

const rateLimitsOf = (e: Settings): RateLimitSettings => ({
  store: e.RATE_LIMITS,
  perMinute: {
    address: e.RATE_LIMIT_ADDRESS,
    viewer: e.RATE_LIMIT_VIEWER,
    write: e.RATE_LIMIT_WRITES,
    ticket: e.RATE_LIMIT_TICKET,
  },
});

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
