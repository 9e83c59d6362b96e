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
    ['DATABASE_REPLICA_URLS', 'postgres://replica/desk'],
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

  test.for([
    ['export DATABASE_URL', 'DATABASE_URL'],
    ['\ufeffDATABASE_URL', 'DATABASE_URL'],
    ['set DATABASE_URL', 'DATABASE_URL'],
    ['$env:DATABASE_URL', 'DATABASE_URL'],
    ['SMTP_URI', 'SMTP_URL'],
    ['JWT_JWKS_URI', 'JWT_JWKS_URL'],
    ['DATABASE_POOL_SIZE', 'DATABASE_POOL'],
    ['MAX_BODY_SIZE', 'MAX_BODY_BYTES'],
  ] as const)('%s: did you mean %s, from a file or another program’s words?', ([name, meant]) => {
    const lines = refusal({ [name]: 'x' });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(`is not a setting; did you mean ${meant}?`);
  });

  test.for([
    ['PORTS', 'PORT'],
    ['port', 'PORT'],
    ['Host', 'HOST'],
  ] as const)('%s is only a warning, as it may be another program’s', ([name, meant]) => {
    expect(readConfig({ [name]: '80' }).warnings).toEqual([
      `${name}: is not a setting; did you mean ${meant}?`,
    ]);
  });

  test.for(['DATABASE_URL', 'MAILBOX_KEY', 'METRICS_TOKEN', 'DATABASE_OWNER_URL'])(
    '%s_FILE is no setting, and no file is read',
    (name) => {
      const [line, ...more] = refusal({ [`${name}_FILE`]: '/run/secrets/x' });
      expect(line).toMatch(
        `${name}_FILE: is not a setting; ${name} takes the value itself, as no file is read.`,
      );
      expect(more).toEqual([]);
    },
  );

  test('a file of a name of one word may be another program’s', () => {
    for (const name of ['HOST', 'PORT', 'ROLES'])
      expect(readConfig({ [`${name}_FILE`]: '/etc/x' }).warnings).toEqual([
        `${name}_FILE: is not a setting; ${name} takes the value itself, as no file is read.`,
      ]);
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

describe('a value that is not what it looks like', () => {
  const whole = 'must be a whole number from 0 to 65535, written in digits only';
  const origins = 'must be origins such as https://desk.example.com, separated by commas, or *';
  const hostName = 'must be an address or a host name, without scheme, brackets and port';
  test.for([
    ...['080', '0x10', '1e3', '80.0', '+80', '-1', '65536', '8O', 'Infinity'].map((text) => [
      'PORT',
      text,
      whole,
    ]),
    ['PORT', ' ', 'begins or ends with white space'],
    ['PORT', '80 ', 'begins or ends with white space'],
    ['PORT', '80\r', 'ends with a carriage return, as lines do in a file from Windows'],
    ['PORT', '"80"', 'is in quotes, which would be a part of the value'],
    ['MAX_BODY_BYTES', '10MB', 'must be a whole number from 1 to 16777216, written in digits only'],
    ['MAX_BODY_BYTES', '1_000', 'must be a whole number from 1 to 16777216, written in digits only'],
    ...['yes', 'true', 'TRUE', 'on', '2'].map((text) => ['EXPLORER', text, 'must be 0 or 1']),
    ['LOG_LEVEL', 'INFO', 'must be trace, debug, info, warn, error, fatal or silent'],
    ['RATE_LIMITS', 'none', 'must be memory, postgres or off'],
    ...['web,', 'Web', 'web worker', 'api'].map((text) => ['ROLES', text, 'must be web, worker or both']),
    ...[
      'https://a.b/',
      'a.b',
      'https://a.b https://c.d',
      'https://a.b;https://c.d',
      'https://*.b',
      '*,https://a.b',
    ].map((text) => ['CORS_ORIGINS', text, origins]),
    ...['http://localhost', 'localhost:80', '[::1]', '*', '10.0.0.0/8', '-'].map((text) => [
      'HOST',
      text,
      hostName,
    ]),
    ...['localhost:5432/desk', 'db/desk', 'mysql://db/desk', 'postgres:desk'].map((text) => [
      'DATABASE_URL',
      text,
      'must be a URL that begins with postgres:// or postgresql://',
    ]),
    ...['mail.test:25', 'smtp:mail.test', 'smtp://', 'inbox', 'http://mail.test'].map((text) => [
      'SMTP_URL',
      text,
      'must be smtp://host…, smtps://host… or inbox:',
    ]),
    ['DATA_DIR', '~/desk', 'must be a literal path: ~ and variables are not expanded'],
    ['DATA_DIR', '$HOME/desk', 'must be a literal path: ~ and variables are not expanded'],
    [
      'METRICS_TOKEN',
      'a token with blanks',
      'must be at least 16 printable ASCII characters, without spaces',
    ],
    ['METRICS_TOKEN', "'0123456789abcdef'", 'is in quotes, which would be a part of the value'],
  ] as [string, string, string][])('%s=%j %s', ([name, value, message]) => {
    expect(refusal({ [name]: value })).toEqual([`${name}: ${message}`]);
  });

  test('is told with everything else that is wrong, by name and in one go', () => {
    const lines = refusal({
      SMTP_URI: 'smtp://mail.test',
      TRUST_PROXY: '1\r',
      PORT: '"080"',
      LOG_LEVEL: 'verbose',
      JWT_ISSUER: 'https://id.test ',
    });
    const names = lines.map((line) => line.split(':')[0]).sort();
    const blemishes = ['JWT_ISSUER', 'PORT', 'TRUST_PROXY'];
    const wrong = ['LOG_LEVEL', 'PORT', 'SMTP_URI'];
    const missing = ['DATABASE_URL', 'JWT_AUDIENCE', 'JWT_JWKS_URL'];
    expect(names).toEqual([...blemishes, ...wrong, ...missing].sort());
  });
});

describe('two settings that contradict each other', () => {
  const owner = 'DATABASE_OWNER_URL: must name the same database as DATABASE_URL';
  test.for([
    ['postgres://me@db/desk', 'postgres://owner@db/other', [owner]],
    ['postgres://me@db/desk', 'postgres://owner@10.0.0.1:6432/desk?sslmode=require', []],
    ['postgres://me@db', 'postgres://owner@db/desk', []],
  ] as const)('DATABASE_URL=%s, DATABASE_OWNER_URL=%s', ([DATABASE_URL, DATABASE_OWNER_URL, lines]) => {
    expect(refusal({ DATABASE_URL, DATABASE_OWNER_URL })).toEqual(lines);
  });

  test('a file that no message takes is a warning', () => {
    const large = { MAX_ATTACHMENT_BYTES: '104857600' };
    expect(readConfig(large).warnings).toEqual([
      'MAX_ATTACHMENT_BYTES: no message can have such a file, as MAX_MESSAGE_ATTACHMENTS_BYTES is less',
    ]);
    expect(readConfig({ ...large, MAX_MESSAGE_ATTACHMENTS_BYTES: '104857600' }).warnings).toEqual([]);
  });
});

describe('what other programs read is no mistake', () => {
  const names = [
    ...['DATABASE', 'DATABASE_PORT', 'DATABASE_PASSWORD', 'PGPORT', 'PGPASSWORD', 'REDIS_URL', 'HTTP_PROXY'],
    ...['SMTP_FROM', 'SFTP_URL', 'HOSTNAME', 'HOSTS', 'POST', 'PATH', 'HOME', 'USER', 'LANG', 'LOGNAME'],
    ...[
      'SHELL',
      'PWD',
      'OLDPWD',
      'TERM',
      'TMPDIR',
      'EDITOR',
      'ROLE',
      'NODE_OPTIONS',
      'NODE_PATH',
      'NODE_HOME',
    ],
    ...[
      'NODE_EXTRA_CA_CERTS',
      'DATADIR',
      'XDG_DATA_DIRS',
      'XDG_DATA_HOME',
      'AWS_ACCESS_KEY_ID',
      'AWS_REGION',
    ],
    ...['TICKETWIRE_SERVICE_HOST', 'TICKETWIRE_SERVICE_PORT', 'TICKETWIRE_PORT_4000_TCP', 'KUBERNETES_PORT'],
    ...['TICKETWIRE_WORKER_SERVICE_PORT_HTTP', 'TICKETWIRE_WORKER_PORT_4001_TCP_ADDR', 'OTEL_SERVICE_NAME'],
    ...[
      'TICKETWIRE_URL',
      'TICKETWIRE_TOKEN',
      'CI',
      'DEBUG',
      'npm_config_data_dir',
      'API_URL',
      'JOBS_URL',
      'BASE_URL',
      'SITE_URL',
    ],
    ...['LOG_FILE', 'LOG_FORMAT', 'HTTP_URL', 'no_proxy', 'TEST_DATABASE_URL', 'MAX_MEMORY', 'TZ'],
  ];
  const foreign = {
    DATABASE_URL: ['POSTGRES_URL', 'DB_URL', 'DB_HOST', 'DATABASE_HOST', 'PGHOST', 'PGDATABASE', 'PGUSER'],
    SMTP_URL: ['SMTP_HOST', 'SMTP_PORT', 'SMTP_USER', 'SMTP_PASS', 'MAIL_URL'],
    MAILBOX_KEY: ['SECRET_KEY'],
    JWT_JWKS_URL: ['JWT_SECRET'],
    OTEL_EXPORTER_OTLP_ENDPOINT: ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'],
  };
  const setTo = (value: string, all: readonly string[]) =>
    Object.fromEntries(all.map((name) => [name, value]));

  test('and is not told', () => {
    const env = setTo('x', names);
    expect(refusal(env)).toEqual([]);
    expect(readConfig(env).warnings).toEqual([]);
    // Kubernetes sets it for a service of this name.
    expect(refusal({ TICKETWIRE_PORT: 'tcp://10.0.0.1:4000' })).toEqual([]);
  });

  test.for(Object.entries(foreign))('but what may be meant for %s is a warning', ([setting, others]) => {
    const env = setTo('canary', others);
    expect(refusal(env)).toEqual([]);
    expect(readConfig(env).warnings).toEqual([
      `${others.join(', ')}: not read by this program, whose setting is ${setting}`,
    ]);
    // Where the setting is set too, or was set to nothing, nobody is told.
    expect(readConfig({ ...env, [setting]: '' }).warnings).toEqual([]);
  });

  test('and TLS that only other programs would use is a warning', () => {
    const { warnings } = readConfig({ ...database, PGSSLMODE: 'verify-full' });
    expect(warnings).toEqual(['PGSSLMODE: not read by this program; write sslmode into DATABASE_URL']);
    const withMode = { DATABASE_URL: `${database.DATABASE_URL}?sslmode=require` };
    expect(readConfig({ ...withMode, PGSSLMODE: 'verify-full' }).warnings).toEqual([]);
  });
});

test('a name with our prefix that is no setting is told; nearly one is an error', () => {
  expect(readConfig({ TICKETWIRE_DATABASE: 'x', Ticketwire_Colour: 'x' }).warnings).toEqual([
    'TICKETWIRE_DATABASE: is not a setting; docs/SETTINGS.md lists them all',
    'Ticketwire_Colour: is not a setting; docs/SETTINGS.md lists them all',
  ]);
  expect(refusal({ TICKETWIRE_ROLE: 'worker' })).toEqual([
    expect.stringMatching(/^TICKETWIRE_ROLE: is not a setting; did you mean ROLES\?/),
  ]);
});

describe('a URL that is not what its writer meant', () => {
  const escaped = 'in a user or password, write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25';
  const placeholder = 'contains < > { or }: fill in the placeholder, or write it as %3C and so on';
  test.for([
    ...['12/x', 'p/x', '12?x', '12#x', 'p%zz'].map((password) => [
      'DATABASE_URL',
      `postgres://desk:${password}@db/desk`,
      `would not be read as you mean it: ${escaped}`,
    ]),
    ['DATABASE_URL', 'postgres://desk:{{password}}@db/desk', placeholder],
    ['DATABASE_URL', 'postgres://desk:<password>@db/desk', placeholder],
    ['DATABASE_OWNER_URL', 'postgres://desk:12#x@db/desk', `would not be read as you mean it: ${escaped}`],
    ['SMTP_URL', 'smtp://desk:12/x@mail', `would not be read as you mean it: ${escaped}`],
    ['SMTP_URL', 'smtp://desk%C5:%99@mail', `would not be read as you mean it: ${escaped}`],
    [
      'SMTP_URL',
      'smtp://mail/?tls=1',
      'must end after the host and its port: a path or query would not be read',
    ],
    ['PUBLIC_URL', 'https://u:p@desk', 'must have no user and no password: it is part of every link'],
    ['JWT_JWKS_URL', 'https://u:p@issuer/keys', 'must have no user and no password'],
    ['CLAMD_URL', 'clamd://scan:0', 'must be clamd://host:port or unix:/path'],
    ['DATABASE_REPLICA_URLS', 'postgres://db/other', 'must name the same database as DATABASE_URL'],
    ['DATA_DIR', 'file:///var/lib/desk', 'must be a path, not a URL'],
    ['JWT_ISSUER', 'a\nb', 'contains a line break or another invisible character'],
    ['JWT_ISSUER', 'a\u200bb', 'contains a line break or another invisible character'],
  ] as const)('%s=%s', ([name, text, why]) => {
    const jwt = name!.startsWith('JWT_')
      ? { JWT_JWKS_URL: 'https://issuer/keys', JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' }
      : {};
    expect(refusal({ ...database, ...jwt, [name!]: text! })).toEqual([`${name}: ${why}`]);
  });

  test.for([
    'postgres://desk:p%2F%3F%23%40%25@db/desk',
    'postgres://desk:p@ss@db/desk',
    'postgres://[::1]/desk',
    'postgres:///desk?host=/var/run/postgresql',
    'postgres://db/desk?user=jane@example.com',
  ])('and %s is one', (text) => {
    expect(refusal({ DATABASE_URL: text })).toEqual([]);
  });
});
