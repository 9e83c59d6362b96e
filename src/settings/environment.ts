import { z } from 'zod';
import { readBlobsUrl } from './blobs-url.ts';
import { readClamdUrl } from './clamd-url.ts';
import { readDatabaseUrl } from './database-url.ts';
import { warnOfForeignNames } from './foreign-names.ts';
import { findMisspelledNames } from './misspelled-names.ts';
import {
  bearer,
  codePage,
  flag,
  host,
  oneOf,
  origins,
  path,
  readBy,
  roles,
  whole,
  whyMalformed,
} from './setting-types.ts';
import { databaseUrl, databaseUrls, fetchedUrl, publicUrl, smtpUrl, url } from './url-types.ts';

/** Bytes of a mebibyte. */
export const MiB = 1024 * 1024;
const mostPerMinute = 1_000_000_000;

/** Every variable of the environment that the gateway reads. */
const variables = z.object({
  HOST: host.default('127.0.0.1'),
  PORT: whole(4000, 0, 65_535),
  DATA_DIR: path.default('.data'),
  RATE_LIMITS: oneOf('memory', 'postgres', 'off').default('memory'),
  RATE_LIMIT_ADDRESS: whole(60_000, 1, mostPerMinute),
  RATE_LIMIT_VIEWER: whole(30_000, 1, mostPerMinute),
  RATE_LIMIT_WRITES: whole(6000, 1, mostPerMinute),
  RATE_LIMIT_TICKET: whole(3000, 1, mostPerMinute),
  TRUSTED_DOCUMENTS: path.optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  INBOX_KEEP_DAYS: whole(30, 1, 36_500),
  AUDIT_KEEP_DAYS: whole(1826, 30, 36_500),
  METRICS_TOKEN: bearer.optional(),
  WORKER_PORT: whole(4001, 0, 65_535).removeDefault().optional(),
  DRAIN_SECONDS: whole(60, 5, 900),
  MAIL_STALLED_MINUTES: whole(15, 1, 7 * 24 * 60),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').default('info'),
  NODE_ENV: z.string().optional(),
  DATABASE_URL: databaseUrl.optional(),
  DATABASE_OWNER_URL: databaseUrl.optional(),
  DATABASE_REPLICA_URLS: databaseUrls,
  DATABASE_POOL: whole(10, 2, 200),
  DATABASE_TIMEOUT: whole(10, 1, 600),
  SMTP_URL: smtpUrl.optional(),
  BLOBS_URL: readBy(readBlobsUrl).optional(),
  MAILBOX_KEY: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be 32 bytes in hexadecimal')
    .optional(),
  JWT_JWKS_URL: fetchedUrl.optional(),
  JWT_ISSUER: z.string().min(1).optional(),
  JWT_AUDIENCE: z.string().min(1).optional(),
  LEGACY_CHARSET: codePage.default('windows-1252'),
  PUBLIC_URL: publicUrl.optional(),
  CLAMD_URL: readBy(readClamdUrl).optional(),
  TRUST_PROXY: flag.default('0'),
  EXPLORER: flag.optional(),
  ROLES: roles,
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
  WEBHOOK_PRIVATE_ADDRESSES: flag.default('0'),
});

/**
 * The settings by name, parsed and with their defaults. One without a default is undefined when it is unset.
 * Switches are the texts `0` and `1`. MAX_REQUEST_BYTES is 0 when it is unset.
 */
export type Settings = z.infer<typeof variables>;

type Given = Readonly<Partial<Record<keyof Settings, string>>>;

/**
 * Mistakes in combinations of settings, each of which may be valid by itself. It compares the unparsed texts,
 * so that these mistakes are reported even if some setting is invalid.
 */
function* findConflicts(given: Given): Generator<string> {
  const jwt = ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const;
  const missing = jwt.filter((name) => given[name] === undefined);
  if (missing.length < jwt.length)
    for (const name of missing) yield `${name}: is required with the other JWT_ settings`;
  const [database, owners] = [given.DATABASE_URL, given.DATABASE_OWNER_URL].map(databaseNameIn);
  if (database && owners && database !== owners)
    yield 'DATABASE_OWNER_URL: must name the same database as DATABASE_URL';
  const replicas = (given.DATABASE_REPLICA_URLS ?? '').split(',').map((text) => databaseNameIn(text.trim()));
  if (database && replicas.some((name) => name && name !== database))
    yield 'DATABASE_REPLICA_URLS: must name the same database as DATABASE_URL';
  if (given.DATABASE_URL !== undefined) return;
  for (const [setting, isSet] of needDatabase(given))
    if (isSet) yield `DATABASE_URL: is required with ${setting}`;
}

function databaseNameIn(text = ''): string | undefined {
  try {
    return readDatabaseUrl(text).database;
  } catch {
    return undefined;
  }
}

/** Pairs of valid settings of which one defeats the other. */
function* warnTogether(settings: Settings): Generator<string> {
  if (settings.MAX_ATTACHMENT_BYTES > settings.MAX_MESSAGE_ATTACHMENTS_BYTES)
    yield 'MAX_ATTACHMENT_BYTES: no message can have such a file, as MAX_MESSAGE_ATTACHMENTS_BYTES is less';
  if (settings.MAX_REQUEST_BYTES !== 0 && settings.MAX_REQUEST_BYTES <= settings.MAX_BODY_BYTES)
    yield 'MAX_REQUEST_BYTES: it is less than a request with the largest body that MAX_BODY_BYTES allows';
}

/**
 * Settings that show that the desk is meant for real users. Without a database it would be a demo desk, whose
 * passwords are public.
 */
const needDatabase = (env: Given): [string, boolean][] => [
  ['DATABASE_OWNER_URL', env.DATABASE_OWNER_URL !== undefined],
  ['DATABASE_REPLICA_URLS', env.DATABASE_REPLICA_URLS !== undefined],
  [`NODE_ENV=${env.NODE_ENV}`, /^prod(uction)?$/i.test(env.NODE_ENV ?? '')],
  ['TRUST_PROXY=1', env.TRUST_PROXY === '1'],
];

/**
 * Settings are wrong, or cannot be used. The message has one line for each fault, which begins with its name.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * Reads the settings from environment variables; an empty one counts as unset. Nothing is contacted or
 * logged.
 * @returns `warnings`: one line for each variable that was probably meant for this program and is not read,
 *   and for each pair of settings of which one defeats the other
 * @throws ConfigError that lists every wrong setting, every wrong combination, and misspelled names whose
 *   intended setting is not set
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): {
  readonly settings: Settings;
  readonly warnings: readonly string[];
} {
  const known = Object.keys(variables.shape);
  const names = findMisspelledNames(env, known);
  const wrong = [...names.errors];
  const given: Record<string, string> = {};
  for (const name of known) {
    const text = env[name] ?? '';
    const blemish = whyMalformed(text);
    if (blemish !== undefined) wrong.push(`${name}: ${blemish}`);
    const value = blemish === undefined ? text : text.trim().replace(/^(["'`])(.*)\1$/s, '$2');
    if (value !== '') given[name] = value;
  }
  const parsed = variables.safeParse(given);
  for (const { path, message } of parsed.error?.issues ?? []) wrong.push(`${path.join('.')}: ${message}`);
  wrong.push(...findConflicts(given));
  if (parsed.data !== undefined && parsed.data.MAX_UPLOADED_BYTES < parsed.data.MAX_ATTACHMENT_BYTES)
    wrong.push('MAX_UPLOADED_BYTES: must not be less than MAX_ATTACHMENT_BYTES');
  if (!parsed.success || wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  return {
    settings: parsed.data,
    warnings: [...names.warnings, ...warnOfForeignNames(env), ...warnTogether(parsed.data)],
  };
}
