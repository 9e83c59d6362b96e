import { resolve } from 'node:path';
import { z } from 'zod';
import type { RateLimitSettings } from './limits/rate-limits.ts';
import { type BlobPlace, readBlobsUrl } from './settings/blobs-url.ts';
import { judgeNames } from './settings/names.ts';

/**
 * Everything that the environment decides. Durations are seconds and sizes are bytes unless a name says
 * otherwise.
 */
export interface Config {
  readonly host: string;
  readonly port: number;
  /** Health and metrics of a process that only sends mail; undefined: 4001 if that is free. */
  readonly workerPort: number | undefined;
  /** Mails of the development inbox stay so long. */
  readonly inboxKeepDays: number;
  /** Where traces are sent; undefined: there are none. */
  readonly tracesUrl: string | undefined;
  /** Opens /metrics to other machines. */
  readonly metricsToken: string | undefined;
  /** Mail that has not moved for so long makes readiness say "degraded". */
  readonly mailStalledSeconds: number;
  /** How long a worker that ends waits for mails that are going out. */
  readonly drainSeconds: number;
  readonly dataDir: string;
  readonly logLevel: string;
  /**
   * `embedded`: a PostgreSQL of our own in `dataDir`, with the demo desk when it is reachable from this
   * machine only.
   */
  readonly database:
    | { readonly kind: 'embedded' }
    | { readonly kind: 'url'; readonly url: string; readonly ownerUrl: string };
  readonly poolSize: number;
  /** Seconds after which a statement that was not answered is given up. */
  readonly databaseTimeout: number;
  /** `inbox`: the development inbox; `none`: each mailbox has its own settings. */
  readonly smtp:
    | { readonly kind: 'inbox' }
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'none' };
  readonly blobs: BlobPlace;
  /** 32 bytes; mailboxes' SMTP passwords are encrypted under it. */
  readonly mailboxKey: Buffer | undefined;
  readonly jwt: { readonly jwksUrl: string; readonly issuer: string; readonly audience: string } | undefined;
  /** The code page of Basic credentials that are no UTF-8, as `TextDecoder` calls it. */
  readonly legacyCharset: string;
  readonly demo: boolean;
  readonly production: boolean;
  readonly trustProxy: boolean;
  /**
   * What addresses in answers begin with; empty: they are relative; undefined: the origin by which the caller
   * reached us.
   */
  readonly publicUrl: string | undefined;
  /** A clamd that scans attachments. */
  readonly clamd: Clamd | undefined;
  /** Whether GraphiQL is served; in production only when asked for. */
  readonly explorer: boolean;
  readonly roles: ReadonlySet<'web' | 'worker'>;
  /** Origins whose pages may ask and read: exact ones, or `*`. */
  readonly corsOrigins: ReadonlySet<string>;
  readonly limits: Limits;
  readonly rateLimits: RateLimitSettings;
  /** A file of the only documents that may be asked. */
  readonly trustedDocuments: string | undefined;
  /** What whoever starts the program should look at, although it can start. */
  readonly warnings: readonly string[];
}

/** Where a clamd listens. */
export type Clamd = { readonly path: string } | { readonly host: string; readonly port: number };

export interface Limits {
  readonly bodyBytes: number;
  readonly attachmentBytes: number;
  readonly messageAttachmentsBytes: number;
  readonly attachments: number;
  readonly recipients: number;
  /** Of one user, on their way at a time. */
  readonly openUploads: number;
  /** That one user may have uploaded and not attached yet. */
  readonly uploadedBytes: number;
  /** Subscriptions of one user at a time, in one process. */
  readonly subscriptions: number;
  /** Multipart requests to /graphql that one user may be sending at a time, to one process. */
  readonly openForms: number;
  /** JSON bodies of /graphql. */
  readonly requestBytes: number;
  readonly legacyRequestBytes: number;
  /** One answer of /graphql. */
  readonly answerBytes: number;
}

const MiB = 1024 * 1024;
const mostPerMinute = 1_000_000_000;
const whole = (fallback: number, min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`;
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error }).default(fallback);
};
const url = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

/**
 * As a browser writes it in `Origin`: a scheme, a host and a port that is not the scheme's own, and no slash
 * behind it.
 */
const isOrigin = (text: string) =>
  text === '*' || (/^https?:\/\/[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text);
const origins = z
  .string()
  .default('')
  .transform(
    (text) =>
      new Set(
        text
          .split(',')
          .map((origin) => origin.trim())
          .filter(Boolean),
      ),
  )
  .refine((set) => [...set].every(isOrigin), {
    error: 'must be origins such as https://desk.example.com, separated by commas, or *',
  });

function blobPlace(text: string, context: z.core.$RefinementCtx): BlobPlace {
  try {
    return readBlobsUrl(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
}

const settings = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: whole(4000, 0, 65_535),
  DATA_DIR: z.string().min(1).default('.data'),
  RATE_LIMITS: z.enum(['memory', 'postgres', 'off']).default('memory'),
  RATE_LIMIT_ADDRESS: whole(60_000, 1, mostPerMinute),
  RATE_LIMIT_VIEWER: whole(30_000, 1, mostPerMinute),
  RATE_LIMIT_WRITES: whole(6000, 1, mostPerMinute),
  RATE_LIMIT_TICKET: whole(3000, 1, mostPerMinute),
  TRUSTED_DOCUMENTS: z.string().min(1).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  INBOX_KEEP_DAYS: whole(30, 1, 36_500),
  METRICS_TOKEN: z.string().min(16, 'must have at least 16 characters').optional(),
  WORKER_PORT: whole(4001, 0, 65_535).removeDefault().optional(),
  DRAIN_SECONDS: whole(60, 5, 900),
  MAIL_STALLED_MINUTES: whole(15, 1, 7 * 24 * 60),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NODE_ENV: z.string().optional(),
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_OWNER_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_POOL: whole(10, 2, 200),
  DATABASE_TIMEOUT: whole(10, 1, 600),
  SMTP_URL: z
    .string()
    .refine((text) => text === 'inbox:' || (URL.canParse(text) && /^smtps?:$/.test(new URL(text).protocol)), {
      error: 'must be smtp://…, smtps://… or inbox:',
    })
    .optional(),
  BLOBS_URL: z.string().transform(blobPlace).optional(),
  MAILBOX_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 32 bytes in hexadecimal')
    .optional(),
  JWT_JWKS_URL: url('https:', 'http:').optional(),
  JWT_ISSUER: z.string().min(1).optional(),
  JWT_AUDIENCE: z.string().min(1).optional(),
  LEGACY_CHARSET: z
    .string()
    .refine(isCodePage, 'must be a code page of the Encoding Standard, such as windows-1250')
    .default('windows-1252'),
  PUBLIC_URL: z
    .string()
    .refine((text) => text === '/' || (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)), {
      error: 'must be https://…, http://… or /',
    })
    .refine((text) => text === '/' || !/[?#]/.test(text), { error: 'must have no query and no fragment' })
    .optional(),
  CLAMD_URL: z
    .string()
    .refine((text) => clamdOf(text) !== undefined, { error: 'must be clamd://host:port or unix:/path' })
    .optional(),
  TRUST_PROXY: z.enum(['0', '1']).default('0'),
  EXPLORER: z.enum(['0', '1']).optional(),
  ROLES: z
    .string()
    .default('web,worker')
    .transform((text) => new Set(text.split(',').map((role) => role.trim())))
    .refine(
      (set): set is Set<'web' | 'worker'> =>
        set.size > 0 && [...set].every((role) => role === 'web' || role === 'worker'),
      {
        error: 'must be web, worker or both',
      },
    ),
  MAX_BODY_BYTES: whole(4 * MiB, 1, 16 * MiB),
  MAX_ATTACHMENT_BYTES: whole(25 * MiB, 1, 1024 * MiB),
  MAX_MESSAGE_ATTACHMENTS_BYTES: whole(50 * MiB, 1, 2047 * MiB),
  MAX_OPEN_UPLOADS: whole(20, 1, 10_000),
  MAX_UPLOADED_BYTES: whole(2048 * MiB, MiB, Number.MAX_SAFE_INTEGER),
  MAX_SUBSCRIPTIONS: whole(100, 1, 100_000),
  MAX_OPEN_FORMS: whole(128, 1, 10_000),
  MAX_REQUEST_BYTES: whole(0, 0, 64 * MiB),
  MAX_LEGACY_REQUEST_BYTES: whole(40_000_000, 1024, 1_000_000_000),
  MAX_ANSWER_BYTES: whole(32 * MiB, 64 * 1024, 256 * MiB),
  CORS_ORIGINS: origins,
});

const environment = settings.superRefine((env, context) => {
  const jwt = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const;
  const missing = jwt.filter((name) => env[name] === undefined);
  if (missing.length > 0 && missing.length < jwt.length) {
    for (const name of missing)
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'is required with the other JWT_ settings',
      });
  }
  if (env.MAX_UPLOADED_BYTES < env.MAX_ATTACHMENT_BYTES) {
    const message = 'must not be less than MAX_ATTACHMENT_BYTES';
    context.addIssue({ code: 'custom', path: ['MAX_UPLOADED_BYTES'], message });
  }
  if (env.DATABASE_URL === undefined) {
    for (const [because, given] of needsDatabase(env)) {
      if (given)
        context.addIssue({ code: 'custom', path: ['DATABASE_URL'], message: `is required with ${because}` });
    }
  }
});

/**
 * What says that a desk of others is meant; without a database it would be a demo desk whose passwords
 * everybody knows.
 */
const needsDatabase = (env: {
  NODE_ENV?: string | undefined;
  TRUST_PROXY: string;
  DATABASE_OWNER_URL?: string | undefined;
}) =>
  [
    ['DATABASE_OWNER_URL', env.DATABASE_OWNER_URL !== undefined],
    [`NODE_ENV=${env.NODE_ENV}`, /^\s*prod(uction)?\s*$/i.test(env.NODE_ENV ?? '')],
    ['TRUST_PROXY=1', env.TRUST_PROXY === '1'],
  ] as const;

/** Thrown with one line for each wrong setting. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** @throws ConfigError that lists every wrong setting. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = environment.safeParse(set);
  const names = judgeNames(env, Object.keys(settings.shape));
  const wrong = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (!parsed.success || names.errors.length > 0)
    throw new ConfigError([...names.errors, ...wrong].join('\n'));
  const e = parsed.data;
  const dataDir = resolve(e.DATA_DIR);
  const embedded = e.DATABASE_URL === undefined;
  return {
    host: e.HOST,
    port: e.PORT,
    workerPort: e.WORKER_PORT,
    tracesUrl: e.OTEL_EXPORTER_OTLP_ENDPOINT,
    inboxKeepDays: e.INBOX_KEEP_DAYS,
    metricsToken: e.METRICS_TOKEN,
    drainSeconds: e.DRAIN_SECONDS,
    mailStalledSeconds: 60 * e.MAIL_STALLED_MINUTES,
    dataDir,
    logLevel: e.LOG_LEVEL,
    database: embedded
      ? { kind: 'embedded' }
      : { kind: 'url', url: e.DATABASE_URL!, ownerUrl: e.DATABASE_OWNER_URL ?? e.DATABASE_URL! },
    poolSize: e.DATABASE_POOL,
    databaseTimeout: e.DATABASE_TIMEOUT,
    smtp: smtpOf(e.SMTP_URL, embedded),
    blobs: e.BLOBS_URL ?? { kind: 'file', directory: resolve(dataDir, 'blobs') },
    mailboxKey: e.MAILBOX_KEY === undefined ? undefined : Buffer.from(e.MAILBOX_KEY, 'hex'),
    jwt:
      e.JWT_JWKS_URL === undefined
        ? undefined
        : { jwksUrl: e.JWT_JWKS_URL, issuer: e.JWT_ISSUER!, audience: e.JWT_AUDIENCE! },
    legacyCharset: e.LEGACY_CHARSET,
    demo: embedded && isLoopback(e.HOST),
    production: !embedded,
    trustProxy: e.TRUST_PROXY === '1',
    publicUrl: e.PUBLIC_URL?.replace(/\/+$/, ''),
    clamd: e.CLAMD_URL === undefined ? undefined : clamdOf(e.CLAMD_URL),
    explorer: e.EXPLORER === undefined ? embedded : e.EXPLORER === '1',
    roles: e.ROLES,
    corsOrigins: e.CORS_ORIGINS,
    limits: {
      bodyBytes: e.MAX_BODY_BYTES,
      attachmentBytes: e.MAX_ATTACHMENT_BYTES,
      messageAttachmentsBytes: e.MAX_MESSAGE_ATTACHMENTS_BYTES,
      attachments: 20,
      recipients: 50,
      openUploads: e.MAX_OPEN_UPLOADS,
      uploadedBytes: e.MAX_UPLOADED_BYTES,
      subscriptions: e.MAX_SUBSCRIPTIONS,
      openForms: e.MAX_OPEN_FORMS,
      // A body of the largest size still arrives whole when each of its bytes is escaped as \u00xx, so that
      // the command refuses it.
      requestBytes: e.MAX_REQUEST_BYTES || 6 * e.MAX_BODY_BYTES + MiB,
      legacyRequestBytes: e.MAX_LEGACY_REQUEST_BYTES,
      answerBytes: e.MAX_ANSWER_BYTES,
    },
    trustedDocuments: e.TRUSTED_DOCUMENTS,
    rateLimits: {
      store: e.RATE_LIMITS,
      perMinute: {
        address: e.RATE_LIMIT_ADDRESS,
        viewer: e.RATE_LIMIT_VIEWER,
        write: e.RATE_LIMIT_WRITES,
        ticket: e.RATE_LIMIT_TICKET,
      },
    },
    warnings: names.warnings,
  };
}

/** Unicode is no code page: what is no UTF-8 would be none here either. */
function isCodePage(label: string): boolean {
  try {
    return !new TextDecoder(label).encoding.startsWith('utf-');
  } catch {
    return false;
  }
}

function smtpOf(text: string | undefined, embedded: boolean): Config['smtp'] {
  if (text === 'inbox:' || (text === undefined && embedded)) return { kind: 'inbox' };
  return text === undefined ? { kind: 'none' } : { kind: 'url', url: text };
}

function clamdOf(text: string): Clamd | undefined {
  const path = /^unix:(\/.+)$/.exec(text)?.[1]?.replace(/^\/\/(?=\/)/, '');
  if (path !== undefined) return { path };
  const match = /^clamd:\/\/(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?\/?$/.exec(text);
  const port = Number(match?.[3] ?? 3310);
  return match === null || port > 65_535 ? undefined : { host: match[1] ?? match[2]!, port };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
