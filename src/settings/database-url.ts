/** How TLS is used for a connection to the database. */
export interface DatabaseTls {
  /** Falls back to plain text when the server has no TLS. */
  readonly optional: boolean;
  /** Verifies the server's certificate and its host name. False: encrypts without verifying anything. */
  readonly verify: boolean;
  /** `sslnegotiation=direct`: TLS from the first byte, which PostgreSQL 17 supports. */
  readonly direct: boolean;
}

/**
 * What a database URL says. What it leaves out, the driver takes from PGHOST and so on, or guesses; but with
 * a host its port is 5432, and with the parameter `port` alone its host is localhost.
 */
export interface DatabaseAddress {
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** The server's socket file, instead of a host and a port. */
  readonly path: string | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** Undefined: plain text. */
  readonly tls: DatabaseTls | undefined;
  /** Time limit of a connection attempt, seconds, 1 to 999. */
  readonly connectSeconds: number | undefined;
  /** Run-time parameters of each connection: `application_name` and `options`, if given. */
  readonly session: Readonly<Record<string, string>>;
}

/** libpq's parameters that are honoured here. Others would be passed on to the server, or be ignored. */
const parameterNames = [
  ...['host', 'port', 'user', 'password', 'dbname', 'sslmode', 'ssl', 'sslrootcert', 'sslnegotiation'],
  ...['connect_timeout', 'application_name', 'options'],
];
const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const usualPort = '5432';

const beginning = 'must be a URL that begins with postgres:// or postgresql://';
/** Hint for error messages: how to write the characters that end a user or a password. */
export const escapingHint =
  'in a user or password, write / as %2F, ? as %3F, # as %23, @ as %40 and % as %25';
const whyNotUrl = (text: string) => (text.includes('@') ? `${beginning}; ${escapingHint}` : beginning);
/** What is wrong with a URL whose host or port has other characters than it can. */
const whyNotPlace = (text: string) =>
  `has a host or port that cannot be read${text.includes('@') ? `; ${escapingHint}` : ''}`;
/** Error message for a URL that an unescaped character of its user or password has cut short. */
export const cutShort = `would not be read as you mean it: ${escapingHint}`;

/**
 * Parses a database URL in libpq's syntax, with `[::1]` and folders of sockets, which neither the driver's
 * parser nor the standard's URL knows. Only the parameters of docs/SETTINGS.md are accepted. Unlike libpq,
 * TLS is off unless `sslmode`, `ssl` or `sslrootcert` asks for it. Only one server may be named. Nothing is
 * contacted.
 * @throws Error whose message completes a sentence that begins with the setting's name, and repeats nothing
 *   that may be a part of a password
 */
export function readDatabaseUrl(text: string): DatabaseAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?(#.*)?$/is.exec(
    text,
  );
  const [, account, host = '', name = '', query = '', fragment] = match ?? [];
  if (match === null) throw new Error(whyNotUrl(text));
  // An unescaped character of a password has cut the URL short: an @ comes after what looks like the host.
  const hasPassword = account?.includes(':') === true;
  const isCut = hasPassword
    ? /@/.test(name + query)
    : account === undefined && (/@/.test(name + (fragment ?? '')) || /^[^=]*@/.test(query));
  if (isCut || fragment !== undefined || !isDecodable([...(account ?? '').split(':'), host, name]))
    throw new Error(cutShort);
  // Whoever means one of these writes %3C and so on, so a URL that has them is an unfilled example.
  if (/[<>{}]/.test(text))
    throw new Error('contains < > { or }: fill in the placeholder, or write it as %3C and so on');
  const given = parametersOf(query);
  const [, user, password] = /^([^:]*)(?::(.*))?$/s.exec(account ?? '')!;
  const stated = { user, password, host: host.replace(/:\d*$/, ''), port: /:\d+$/.test(host), dbname: name };
  for (const [key, value] of Object.entries(stated))
    if (value && given.has(key))
      throw new Error(`gives the ${key} twice, before and after the question mark`);
  return {
    ...placeOf(decodeURIComponent(host) || (given.get('host') ?? ''), given.get('port'), text),
    user: decodeURIComponent(user!) || given.get('user'),
    password: password === undefined ? given.get('password') : decodeURIComponent(password),
    database: decodeURIComponent(name) || given.get('dbname'),
    tls: tlsOf(given),
    connectSeconds: connectSecondsOf(given.get('connect_timeout')),
    session: Object.fromEntries(
      ['application_name', 'options'].flatMap((key) => (given.has(key) ? [[key, given.get(key)!]] : [])),
    ),
  };
}

/** Whether each of these parts of a URL can be decoded, to a text without NUL. */
export function isDecodable(parts: readonly string[]): boolean {
  try {
    return !parts.some((part) => decodeURIComponent(part).includes('\0'));
  } catch {
    return false;
  }
}

function parametersOf(query: string): ReadonlyMap<string, string> {
  const given = new Map<string, string>();
  if (!isDecodable(query.match(/(?:%[\da-f]{2})+/gi) ?? [])) throw new Error(cutShort);
  for (const [name, value] of new URLSearchParams(query)) {
    if (!parameterNames.includes(name)) {
      // The name may be a part of a password.
      if (!/^\w+$/.test(name) || query.includes('@')) throw new Error(cutShort);
      throw new Error(`has no parameter ${name}: there are ${parameterNames.join(', ')}`);
    }
    if (given.has(name)) throw new Error(`gives ${name} twice`);
    if (value === '') throw new Error(`gives ${name} no value`);
    given.set(name, value);
  }
  return given;
}

/** Reads `host`, `host:port`, or the folder of a socket file. */
function placeOf(
  text: string,
  port: string | undefined,
  url: string,
): Pick<DatabaseAddress, 'host' | 'port' | 'path'> {
  if (text === '' && port === undefined) return { host: undefined, port: undefined, path: undefined };
  if (text.includes(','))
    throw new Error('must name one server: use an address that always leads to the primary');
  const portOf = (digits = port ?? usualPort): number => {
    if (!/^[1-9]\d{0,4}$/.test(digits) || Number(digits) > 65_535) throw new Error(whyNotPlace(url));
    return Number(digits);
  };
  const folder = /^(\/[^:]*)(?::(\d+))?$/.exec(text);
  if (folder !== null)
    return { host: undefined, port: undefined, path: `${folder[1]}/.s.PGSQL.${portOf(folder[2])}` };
  const server = /^(?:\[([\da-f:.]+(?:%[\w.-]+)?)\]|([\p{L}\p{N}._-]+))(?::(\d+))?$/iu.exec(
    text || 'localhost',
  );
  if (server === null) throw new Error(whyNotPlace(url));
  return { host: server[1] ?? server[2], port: portOf(server[3]), path: undefined };
}

/**
 * `prefer` and `allow` encrypt if the server supports it, and `require` always; none of them verifies the
 * certificate, unless `sslrootcert` is `system`. `verify-ca` verifies the host's name as well.
 */
function tlsOf(given: ReadonlyMap<string, string>): DatabaseTls | undefined {
  const mode = given.get('sslmode') ?? switches.get(given.get('ssl') ?? '') ?? given.get('ssl') ?? 'disable';
  if (!sslModes.includes(mode)) throw new Error(`sslmode must be one of ${sslModes.join(', ')}`);
  const roots = given.get('sslrootcert');
  if (roots !== undefined && roots !== 'system')
    throw new Error('sslrootcert must be system: list a CA of your own in the file of NODE_EXTRA_CA_CERTS');
  const negotiation = given.get('sslnegotiation') ?? 'postgres';
  if (negotiation !== 'postgres' && negotiation !== 'direct')
    throw new Error('sslnegotiation must be postgres or direct');
  const mayBePlain = mode === 'disable' || mode === 'allow' || mode === 'prefer';
  const isAsked = given.has('sslmode') || given.has('ssl');
  if (mayBePlain && (isAsked || roots === undefined))
    for (const name of ['sslrootcert', 'sslnegotiation'])
      if (given.has(name) && given.get(name) !== 'postgres')
        throw new Error(`${name} needs an sslmode that always encrypts: require or verify-full`);
  if (mode === 'disable' && roots === undefined) return undefined;
  return {
    optional: mode === 'prefer' || mode === 'allow',
    verify: roots === 'system' || mode.startsWith('verify'),
    direct: negotiation === 'direct',
  };
}

const switches: ReadonlyMap<string, string> = new Map(
  Object.entries({ true: 'verify-full', false: 'disable' }),
);

function connectSecondsOf(text: string | undefined): number | undefined {
  if (text !== undefined && !/^[1-9]\d{0,2}$/.test(text))
    throw new Error('connect_timeout must be a number of seconds from 1 to 999');
  return text === undefined ? undefined : Number(text);
}

/**
 * The URL without its user, password and parameters, for logs: any of these may be a secret. The server is
 * written as `readDatabaseUrl` reads it, with the port 5432 and the host localhost where these are its
 * defaults, or as the path of its socket file. It is left out if the URL names neither a host nor a port.
 * @throws Error as `readDatabaseUrl` does
 */
export function describeDatabaseUrl(text: string): string {
  const { host = '', port, path, database = '' } = readDatabaseUrl(text);
  const server = `${host.includes(':') ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
  return `postgres://${path ?? server}/${database}`;
}
