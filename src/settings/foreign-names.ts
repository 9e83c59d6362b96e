/** By which names other programs know what a setting is for. */
const foreignNames: Readonly<Record<string, readonly string[]>> = {
  DATABASE_URL: [
    ...[
      'POSTGRES_URL',
      'POSTGRES_URI',
      'POSTGRESQL_URL',
      'PG_URL',
      'DB_URL',
      'DB_URI',
      'DB_DSN',
      'DATABASE_DSN',
    ],
    ...['POSTGRES_HOST', 'POSTGRES_DB', 'POSTGRES_USER', 'DB_HOST', 'DB_NAME', 'DB_USER', 'DATABASE_HOST'],
    ...['DATABASE_NAME', 'DATABASE_USER', 'PGHOST', 'PGHOSTADDR', 'PGDATABASE', 'PGUSER', 'PGSERVICE'],
  ],
  DATABASE_OWNER_URL: ['DIRECT_URL', 'MIGRATION_URL', 'MIGRATIONS_DATABASE_URL'],
  DATABASE_REPLICA_URLS: ['DATABASE_READ_URL', 'DATABASE_REPLICAS', 'REPLICA_URL', 'REPLICA_URLS'],
  SMTP_URL: [
    ...['SMTP_HOST', 'SMTP_SERVER', 'SMTP_PORT', 'SMTP_USER', 'SMTP_USERNAME', 'SMTP_PASS', 'SMTP_PASSWORD'],
    ...['MAIL_URL', 'MAIL_HOST', 'MAIL_SERVER', 'MAILER_DSN', 'EMAIL_URL', 'EMAIL_HOST', 'EMAIL_SERVER'],
  ],
  MAILBOX_KEY: ['SECRET_KEY', 'SECRET_KEY_BASE', 'APP_KEY', 'APP_SECRET', 'ENCRYPTION_KEY'],
  BLOBS_URL: ['S3_BUCKET', 'AWS_S3_BUCKET', 'S3_URL', 'STORAGE_URL', 'UPLOAD_DIR', 'BLOBS_DIR', 'BLOB_DIR'],
  CLAMD_URL: ['CLAMD_HOST', 'CLAMAV_HOST'],
  HOST: ['BIND', 'BIND_ADDRESS', 'LISTEN', 'LISTEN_ADDRESS'],
  PORT: ['HTTP_PORT', 'SERVER_PORT', 'LISTEN_PORT', 'APP_PORT'],
  TRUST_PROXY: ['TRUSTED_PROXIES', 'BEHIND_PROXY'],
  CORS_ORIGINS: ['ALLOWED_ORIGINS', 'CORS_ALLOWED_ORIGINS', 'CORS_ALLOW_ORIGIN'],
  JWT_JWKS_URL: ['JWKS_URL', 'JWKS_URI', 'JWT_SECRET', 'JWT_PUBLIC_KEY', 'OIDC_ISSUER', 'OIDC_ISSUER_URL'],
  MAX_ATTACHMENT_BYTES: ['MAX_UPLOAD_SIZE', 'MAX_FILE_SIZE'],
  DRAIN_SECONDS: ['DRAIN_TIMEOUT', 'SHUTDOWN_TIMEOUT'],
  DATA_DIR: ['DATA_PATH', 'DATA_HOME'],
  OTEL_EXPORTER_OTLP_ENDPOINT: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
};

/**
 * Warns of variables that other programs read for the same purpose (`POSTGRES_URL`), if the setting of this
 * program (`DATABASE_URL`) is not set: they may be meant for this program, which would start without them. A
 * setting that is set to an empty value is a deliberate choice, so there is no warning. Warns of `PGSSLMODE`
 * too, if `DATABASE_URL` is set without `sslmode` and `ssl`.
 * @returns one line of text for each setting
 */
export function* warnOfForeignNames(env: Readonly<Record<string, string | undefined>>): Generator<string> {
  for (const [setting, names] of Object.entries(foreignNames)) {
    const given = names.filter((name) => env[name]);
    if (env[setting] === undefined && given.length > 0)
      yield `${given.join(', ')}: not read by this program, whose setting is ${setting}`;
  }
  // PostgreSQL's own programs would use TLS.
  if (env.PGSSLMODE && env.DATABASE_URL && !/[?&]ssl(mode)?=/.test(env.DATABASE_URL))
    yield 'PGSSLMODE: not read by this program; write sslmode into DATABASE_URL';
}
