import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const refusal = (env: Record<string, string>): string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
};
const database = { DATABASE_URL: 'postgres://db/desk' };

describe('without DATABASE_URL, there is no start', () => {
  test.for([
    ['NODE_ENV', 'production'],
    ['NODE_ENV', 'Production'],
    ['NODE_ENV', 'prod'],
    ['TRUST_PROXY', '1'],
    ['DATABASE_OWNER_URL', 'postgres://owner@db/desk'],
  ] as const)('with %s=%s', ([name, value]) => {
    const [line, ...more] = refusal({ [name]: value });
    expect(line).toMatch(/^DATABASE_URL: is required with /);
    expect(line).toContain(name);
    expect(more).toEqual([]);
    expect(refusal({ ...database, [name]: value })).toEqual([]);
    // Set to nothing is not set.
    expect(refusal({ DATABASE_URL: '', [name]: value })).toEqual([line]);
  });

  test('and every such reason is told at once', () => {
    const lines = refusal({ NODE_ENV: 'production', TRUST_PROXY: '1', DATABASE_ULR: 'postgres://db/desk' });
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^DATABASE_ULR: is not a setting; did you mean DATABASE_URL\?/);
  });

  test.for(['development', 'test', 'staging'])('but a demo desk with NODE_ENV=%s', (NODE_ENV) => {
    expect(readConfig({ NODE_ENV }).demo).toBe(true);
  });
});

describe('a name that is nearly a setting’s', () => {
  test.for([
    ['DATABASE_ULR', 'DATABASE_URL'],
    ['DATABSE_URL', 'DATABASE_URL'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['DATABASEURL', 'DATABASE_URL'],
    ['DATABASE__URL', 'DATABASE_URL'],
    ['database_url', 'DATABASE_URL'],
    ['Database-Url', 'DATABASE_URL'],
    ['DATTABASE_URL', 'DATABASE_URL'],
    ['DATABASE_URL_', 'DATABASE_URL'],
    ['TICKETWIRE_DATABASE_URL', 'DATABASE_URL'],
    ['DATABASE_OWNR_URL', 'DATABASE_OWNER_URL'],
    ['SMTP_ULR', 'SMTP_URL'],
    ['STMP_URL', 'SMTP_URL'],
    ['BLOB_URL', 'BLOBS_URL'],
    ['MAILBOX_KEYS', 'MAILBOX_KEY'],
    ['MAIL_BOX_KEY', 'MAILBOX_KEY'],
    ['JWT_JKWS_URL', 'JWT_JWKS_URL'],
    ['CORS_ORIGIN', 'CORS_ORIGINS'],
    ['TRUSTED_PROXY', 'TRUST_PROXY'],
    ['NODE_EVN', 'NODE_ENV'],
    ['TICKETWIRE_PORT', 'PORT'],
    ['PUBLIC_URLL', 'PUBLIC_URL'],
    ['MAX_ATACHMENT_BYTES', 'MAX_ATTACHMENT_BYTES'],
  ] as const)('%s: did you mean %s?', ([name, meant]) => {
    const lines = refusal({ [name]: 'x' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(`${name}: is not a setting; did you mean ${meant}?`);
    expect(refusal({ [name]: '' })).toEqual([]);
  });

  test('is a warning where the setting is set too, or was set to nothing', () => {
    const warnings = ['DATABASE_URI: is not a setting; did you mean DATABASE_URL?'];
    expect(readConfig({ ...database, DATABASE_URI: 'x' }).warnings).toEqual(warnings);
    expect(readConfig({ DATABASE_URL: '', DATABASE_URI: 'x' }).warnings).toEqual(warnings);
  });

  test('does not repeat its value, which may be a secret', () => {
    const lines = refusal({ DATABASE_ULR: 'postgres://desk:canary@db/desk', MAILBOX_KYE: 'canary' });
    expect(lines).toHaveLength(2);
    expect(lines.join()).not.toContain('canary');
  });
});

test('what other programs read is no mistake', () => {
  const names = [
    ...['DATABASE', 'DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_NAME', 'DATABASE_USER', 'DATABASE_PASSWORD'],
    ...[
      'DB_URL',
      'DB_HOST',
      'PGHOST',
      'PGPORT',
      'PGUSER',
      'PGDATABASE',
      'PGPASSWORD',
      'REDIS_URL',
      'HTTP_PROXY',
    ],
    ...[
      'SMTP_HOST',
      'SMTP_PORT',
      'SMTP_USER',
      'SMTP_PASS',
      'SMTP_FROM',
      'SFTP_URL',
      'HOSTNAME',
      'HOSTS',
      'POST',
    ],
    ...[
      'PATH',
      'HOME',
      'USER',
      'LANG',
      'LOGNAME',
      'SHELL',
      'PWD',
      'OLDPWD',
      'TERM',
      'TMPDIR',
      'EDITOR',
      'ROLE',
    ],
    ...[
      'NODE_OPTIONS',
      'NODE_PATH',
      'NODE_HOME',
      'NODE_EXTRA_CA_CERTS',
      'DATADIR',
      'XDG_DATA_DIRS',
      'XDG_DATA_HOME',
    ],
    ...['TICKETWIRE_SERVICE_HOST', 'TICKETWIRE_SERVICE_PORT', 'TICKETWIRE_PORT_4000_TCP', 'KUBERNETES_PORT'],
    ...['AWS_ACCESS_KEY_ID', 'AWS_REGION', 'OTEL_SERVICE_NAME', 'CI', 'DEBUG', 'npm_config_data_dir'],
    ...[
      'JWT_SECRET',
      'API_URL',
      'BASE_URL',
      'SITE_URL',
      'JOBS_URL',
      'LOG_FILE',
      'LOG_FORMAT',
      'MAIL_URL',
      'HTTP_URL',
    ],
    ...[
      'no_proxy',
      'TEST_DATABASE_URL',
      'DIRECT_URL',
      'POSTGRES_URL',
      'MAX_MEMORY',
      'DATA_HOME',
      'CLAMD_HOST',
    ],
  ];
  const env = Object.fromEntries(names.map((name) => [name, 'x']));
  expect(refusal(env)).toEqual([]);
  expect(readConfig(env).warnings).toEqual([]);
  // Kubernetes sets it for a service of this name.
  expect(refusal({ TICKETWIRE_PORT: 'tcp://10.0.0.1:4000' })).toEqual([]);
});
