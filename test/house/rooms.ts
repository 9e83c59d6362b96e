const resources = ['src/config', 'src/platform', 'src/observe', 'src/limits', 'src/db'];
const body = ['src/content', 'src/content/dom', 'src/content/html'];
const mail = ['src/mail', 'src/mail/compose', 'src/mail/smtp', 'src/mail/outbox'];

/**
 * The rooms that each room may import. A room is a folder of `src` and everything in it, except folders that
 * are rooms themselves.
 */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  'src/platform': [],
  'src/settings': [],
  'src/limits': ['src/platform'],
  // The configuration, and how errors of a start are explained.
  'src/config': ['src/platform', 'src/settings', 'src/limits'],
  'src/observe': ['src/platform'],
  'src/db/driver': ['src/platform', 'src/observe', 'src/settings'],
  'src/db': ['src/platform', 'src/observe', 'src/db/driver'],
  'src/content/dom': [],
  'src/content/style': ['src/content/dom'],
  'src/content/html': ['src/content/dom', 'src/content/style'],
  'src/content': ['src/platform', 'src/content/dom', 'src/content/html'],
  'src/storage': ['src/config', 'src/platform', 'src/settings', 'src/db'],
  'src/storage/garbage': ['src/platform', 'src/db', 'src/storage'],
  'src/events': ['src/platform', 'src/observe', 'src/db'],
  'src/scan': ['src/settings', 'src/platform', 'src/db', 'src/storage', 'src/events'],
  'src/auth': ['src/config', 'src/platform', 'src/db'],
  'src/mail': ['src/platform', 'src/db'],
  'src/mail/compose': ['src/platform', 'src/db', ...body, 'src/storage', 'src/mail'],
  'src/mail/smtp': ['src/platform', 'src/mail', 'src/mail/compose'],
  'src/mail/outbox': [
    ...['src/platform', 'src/observe', 'src/db', 'src/events'],
    ...['src/mail', 'src/mail/compose', 'src/mail/smtp'],
  ],
  'src/mail/worker': ['src/platform', 'src/observe', 'src/db', 'src/storage', ...mail],
  'src/tickets': [
    ...[...resources, ...body, 'src/storage', 'src/storage/garbage', 'src/events'],
    ...['src/mail', 'src/mail/compose', 'src/mail/outbox'],
  ],
  'src/webhooks': ['src/platform', 'src/db', 'src/events', 'src/tickets'],
  'src/graphql/context': ['src/platform', 'src/tickets'],
  'src/graphql/schema': ['src/platform', ...body, 'src/tickets', 'src/limits', 'src/graphql/context'],
  'src/graphql/engine': ['src/platform', 'src/graphql/context'],
  'src/graphql/execute': [
    ...['src/platform', 'src/observe', 'src/tickets'],
    ...['src/graphql/context', 'src/graphql/schema', 'src/graphql/engine'],
  ],
  'src/graphql/http': [
    ...['src/platform', 'src/limits', 'src/tickets'],
    ...['src/graphql/context', 'src/graphql/engine', 'src/graphql/execute'],
  ],
  'src/graphql': ['src/platform', 'src/tickets', 'src/graphql/execute', 'src/graphql/http'],
  'src/legacy/dotnet': ['src/platform'],
  'src/legacy/recorder': ['src/legacy/dotnet'],
  'src/legacy': ['src/platform', 'src/legacy/dotnet'],
  'src/http': [
    ...['src/config', 'src/platform', 'src/observe', 'src/limits'],
    ...['src/auth', 'src/storage', 'src/storage/garbage', 'src/tickets'],
  ],
  'src/import': ['src/platform', 'src/db', 'src/auth', ...body, 'src/mail', 'src/mail/compose'],
  'src/dev/embedded-postgres': ['src/platform', 'src/db'],
  'src/dev/demo': ['src/db', 'src/import'],
  'src/pages': ['src/platform'],
  'src/pages/ledger': ['src/http', 'src/pages'],
  'src/dev/explorer': ['src/http', 'src/pages'],
  'src/dev/inbox': [
    ...['src/platform', 'src/db', 'src/content', 'src/mail', 'src/mail/outbox', 'src/http', 'src/pages'],
  ],
  'src/cli': [
    ...[
      'src/config',
      'src/platform',
      'src/settings',
      'src/db',
      'src/auth',
      'src/storage',
      'src/storage/garbage',
    ],
    ...['src/scan', 'src/tickets', 'src/mail', 'src/mail/smtp', 'src/mail/outbox', 'src/import'],
    ...['src/webhooks', 'src/graphql/execute'],
    ...['src/legacy/recorder', 'src/dev/embedded-postgres', 'src/dev/demo', 'src/dev/explorer'],
  ],
};

/** Files of `src` itself and of `src/app` join the rooms. No other room may import them. */
export function roomOf(path: string): string {
  if (path === 'src/config.ts' || path === 'src/describe-start-error.ts') return 'src/config';
  let folder = path.slice(0, path.lastIndexOf('/'));
  if (folder === 'src' || folder === 'src/app') return 'src';
  const own = folder;
  while (rooms[folder] === undefined && folder.includes('/'))
    folder = folder.slice(0, folder.lastIndexOf('/'));
  // A folder that is in no room is a room without rights.
  return rooms[folder] === undefined ? own : folder;
}
