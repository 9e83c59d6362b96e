import type { Settings } from './environment.ts';

/** How docs/SETTINGS.md describes a setting, in Markdown. */
export interface Description {
  /** What the setting does. */
  readonly about: string;
  /** What happens without it, for a setting that has no default value. */
  readonly unset?: string;
  /** Whether the README lists it. */
  readonly isFirst?: boolean;
}

type Section = Readonly<Record<string, Description>>;

const program = {
  NODE_ENV: { about: '`production`: the program does not start without `DATABASE_URL`.', unset: 'none' },
  ROLES: {
    about: '`web` answers requests, `worker` sends mail; separate the two with a comma.',
    isFirst: true,
  },
  HOST: { about: 'Address to listen on.', isFirst: true },
  PORT: { about: 'Port to listen on. `0`: any free port.', isFirst: true },
  WORKER_PORT: {
    about: 'Port of `/health` and `/metrics` in a process that only sends mail. It listens on `HOST`.',
    unset: '4001, if it is free',
  },
  DATA_DIR: {
    about: 'Folder of the embedded database and, without `BLOBS_URL`, of the attachments.',
    isFirst: true,
  },
  EXPLORER: {
    about: '`1`: serve GraphiQL at `/graphql`. `0`: do not.',
    unset: '`1` with the embedded database',
  },
  LOG_LEVEL: {
    about:
      '`trace`, `debug`, `info`, `warn`, `error`, `fatal` or `silent`. The log is JSON, one line an event, ' +
      'without message bodies and secrets.',
  },
} satisfies Section;

const database = {
  DATABASE_URL: {
    about: 'The PostgreSQL database: `postgres://user:password@host/database`.',
    unset: 'an embedded PostgreSQL with a demo desk',
    isFirst: true,
  },
  DATABASE_OWNER_URL: {
    about: 'The same database as the user that owns its tables. Each start migrates as this user.',
    unset: '`DATABASE_URL`',
    isFirst: true,
  },
  DATABASE_REPLICA_URLS: {
    about:
      'Streaming replicas of the database, for the reads of viewers: URLs separated by commas. A read ' +
      'sees everything that was committed before it began; see [SCALING.md](SCALING.md#read-replicas).',
    unset: 'the primary answers all reads',
  },
  DATABASE_POOL: { about: 'Connections of each of the three pools for requests.' },
  DATABASE_TIMEOUT: {
    about: 'Seconds to wait for a statement. After that the request gets a 503, which can be tried again.',
  },
  AUDIT_KEEP_DAYS: { about: 'How long an entry of the audit trail is kept; 30 at least.' },
} satisfies Section;

const mail = {
  SMTP_URL: {
    about: '`smtp://user:password@host:587`, `smtps://…`, or `inbox:` for the development inbox.',
    unset: '`inbox:` with the embedded database; otherwise each mailbox needs SMTP settings',
    isFirst: true,
  },
  MAILBOX_KEY: {
    about: "Key that encrypts the mailboxes' SMTP passwords: 32 bytes in hexadecimal.",
    unset: 'mailboxes have no passwords of their own',
  },
  MAIL_STALLED_MINUTES: {
    about: '`/health/ready` says `degraded` when due mail has not moved for this long.',
  },
  DRAIN_SECONDS: { about: 'How long a worker that is stopping waits for mails in transmission.' },
  INBOX_KEEP_DAYS: { about: 'How long the development inbox keeps a mail.' },
} satisfies Section;

const files = {
  BLOBS_URL: {
    about:
      'Where attachments are kept: `file:///absolute/path` or `s3://bucket/prefix?region=…` ' +
      '([parameters](#a-bucket)). All processes must reach it.',
    unset: '`DATA_DIR`/blobs',
    isFirst: true,
  },
  CLAMD_URL: {
    about:
      'A clamd that scans attachments: `clamd://host:port` or `unix:/path`. See [UPLOADS.md](UPLOADS.md).',
    unset: 'no scan',
  },
} satisfies Section;

const network = {
  PUBLIC_URL: {
    about: "Prefix of attachments' URLs (`https://desk.example.com`), or `/` for relative ones.",
    unset: 'the origin of the request',
    isFirst: true,
  },
  TRUST_PROXY: { about: '`1`: believe `X-Forwarded-*` headers. Needs `DATABASE_URL`.', isFirst: true },
  CORS_ORIGINS: {
    about:
      'Origins whose pages may call the gateway (`https://desk.example.com`), separated by commas. ' +
      '`*`: any, without credentials that a browser adds by itself.',
  },
  WEBHOOK_PRIVATE_ADDRESSES: {
    about:
      '`1`: webhooks may go to private addresses, this machine included, and over `http:` ' +
      '([WEBHOOKS.md](WEBHOOKS.md)).',
  },
} satisfies Section;

const signIn = {
  JWT_JWKS_URL: { about: 'Key set of the JWTs that are accepted.', unset: 'no JWTs' },
  JWT_ISSUER: { about: 'Their `iss`; required with `JWT_JWKS_URL`.', unset: 'none' },
  JWT_AUDIENCE: { about: 'Their `aud`; required with `JWT_JWKS_URL`.', unset: 'none' },
  LEGACY_CHARSET: {
    about:
      'Code page of Basic credentials that are not UTF-8, as clients on .NET Framework send them ' +
      '(`windows-1250` in Central Europe).',
  },
} satisfies Section;

const sizes = {
  MAX_BODY_BYTES: { about: "A message's body." },
  MAX_ATTACHMENT_BYTES: { about: 'One attachment.' },
  MAX_MESSAGE_ATTACHMENTS_BYTES: { about: 'All attachments of a message together.' },
  MAX_REQUEST_BYTES: { about: 'A JSON request to `/graphql`.', unset: '6 × `MAX_BODY_BYTES` + 1 MiB' },
  MAX_LEGACY_REQUEST_BYTES: { about: 'A request to the legacy endpoint.' },
  MAX_ANSWER_BYTES: {
    about:
      'A response of `/graphql`, counted while it is made; past it, `ANSWER_TOO_LARGE`. The bodies that ' +
      'are read for it count as well, by their size in memory: a body with characters beyond Latin-1 has ' +
      '2 bytes a character, and an HTML body counts 2.5 times.',
  },
} satisfies Section;

const limits = {
  MAX_OPEN_UPLOADS: { about: 'Unfinished uploads of one user.' },
  MAX_UPLOADED_BYTES: { about: 'Bytes that one user has uploaded and not attached yet.' },
  MAX_SUBSCRIPTIONS: {
    about: 'Subscriptions of one user at a time, in each process; past it, `TOO_MANY_SUBSCRIPTIONS`.',
  },
  MAX_OPEN_FORMS: {
    about: 'Multipart requests of one user at a time, in each process; past it, `TOO_MANY_UPLOADS`.',
  },
  RATE_LIMITS: {
    about:
      'Where requests are counted: `memory` (each process by itself), `postgres` (all processes together, ' +
      'for two more statements a request) or `off`.',
  },
  RATE_LIMIT_ADDRESS: { about: 'Requests a minute from one address; past it, 429 with `Retry-After`.' },
  RATE_LIMIT_VIEWER: { about: 'Requests a minute of one user; past it, 429 with `Retry-After`.' },
  RATE_LIMIT_WRITES: { about: 'Commands a minute of one user; past it, a `RateLimitedError`.' },
  RATE_LIMIT_TICKET: { about: 'Messages a minute to one ticket; past it, a `RateLimitedError`.' },
  TRUSTED_DOCUMENTS: {
    about:
      "JSON file of documents by their ids, such as GraphQL codegen's `persisted-documents.json`. Only " +
      'these can be executed: by text, `documentId` or hash.',
    unset: 'any document',
  },
} satisfies Section;

const monitoring = {
  METRICS_TOKEN: {
    about: 'Bearer token with which other machines read `/metrics`; at least 16 characters.',
    unset: 'this machine only',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    about:
      'Receiver of OpenTelemetry traces (OTLP over HTTP, JSON): `http://127.0.0.1:4318`. Other ' +
      '`OTEL_EXPORTER_OTLP_…` variables are read by the exporter itself.',
    unset: 'no traces',
  },
} satisfies Section;

/** Descriptions of all settings by name, by the title of their section in docs/SETTINGS.md, in its order. */
export const sections: Readonly<Record<string, Section>> = {
  'The program': program,
  Database: database,
  Mail: mail,
  Attachments: files,
  'Network and browsers': network,
  'Signing in': signIn,
  'Sizes, in bytes': sizes,
  Limits: limits,
  Monitoring: monitoring,
};

/** Descriptions of all settings, by name. */
export const descriptions: Section = {
  ...{ ...program, ...database, ...mail, ...files, ...network },
  ...{ ...signIn, ...sizes, ...limits, ...monitoring },
} satisfies Record<keyof Settings, Description>;
