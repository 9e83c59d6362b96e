import { z } from 'zod';
import { cutShort, escapingHint, isDecodable, readDatabaseUrl } from './database-url.ts';
import { listOf } from './setting-types.ts';

/*
 * Settings that are URLs. Each error completes a sentence that begins with the setting's name, and repeats
 * nothing of the URL, which may contain a password.
 */

const hasProtocol = (text: string, protocols: readonly string[]): boolean =>
  URL.canParse(text) &&
  protocols.some((protocol) => text.toLowerCase().startsWith(`${protocol}//`)) &&
  new URL(text).port !== '0';

/** Whether an unescaped character of the password ends the URL early: the @ is then after the host. */
const isCut = ({ username, pathname, search, hash }: URL): boolean =>
  username === '' && (/@/.test(pathname + hash) || /^\?[^=]*@/.test(search));

/**
 * Why a text is not a URL with one of these protocols, or would not be read as it was meant.
 * @param what what it must be
 */
function whyWrong(text: string, protocols: readonly string[], what: string): string | undefined {
  if (!hasProtocol(text, protocols)) return text.includes('@') ? `${what}; ${escapingHint}` : what;
  const url = new URL(text);
  if (isCut(url) || !isDecodable([url.username, url.password, url.pathname])) return cutShort;
  // The parser would escape these. A URL that has them is an example whose placeholder was not filled in.
  if (/[<>{}]/.test(text))
    return 'contains < > { or }: fill in the placeholder, or write it as %3C and so on';
  return undefined;
}

/** The type of a text for which `why` finds no error. */
const checked = (why: (text: string) => string | undefined) =>
  z.string().superRefine((text, context) => {
    const message = why(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const beginnings = (protocols: readonly string[]): string =>
  protocols.map((protocol) => `${protocol}//`).join(' or ');

/**
 * The type of a setting that is a URL with one of these protocols (`https:`). The text is not changed.
 * Rejects a URL that an unescaped `/`, `?` or `#` of its password has cut short (it has no user, but an `@`
 * after the host), a `%` that cannot be decoded, the port 0, and any of `<>{}`. An unescaped `@` in a user or
 * a password is accepted, because it is read as it is meant.
 */
export const url = (...protocols: string[]) =>
  checked((text) => whyWrong(text, protocols, `must be a URL that begins with ${beginnings(protocols)}`));

/**
 * The type of an http or https URL that is fetched. It must have no user and no password, because `fetch`
 * rejects them.
 */
export const fetchedUrl = url('https:', 'http:').refine(hasNoUser, {
  error: 'must have no user and no password',
});

function hasNoUser(text: string): boolean {
  if (!URL.canParse(text)) return true;
  const { username, password } = new URL(text);
  return username === '' && password === '';
}

/**
 * The type of a setting that is the URL of a database, as `readDatabaseUrl` accepts it. The text is not
 * changed.
 */
export const databaseUrl = checked(whyNoDatabase);

function whyNoDatabase(text: string): string | undefined {
  try {
    readDatabaseUrl(text);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The type of a list of such URLs, separated by commas: an array of texts, empty by default. */
export const databaseUrls = checked((text) =>
  splitUrls(text)
    .map(whyNoDatabase)
    .find((why) => why !== undefined),
)
  .default('')
  .transform(splitUrls);

function splitUrls(text: string): string[] {
  return listOf(text).filter(Boolean);
}

/**
 * The type of SMTP_URL: `smtp://…` or `smtps://…` without a path and parameters, or `inbox:`. The text is not
 * changed.
 */
export const smtpUrl = checked((text) => {
  if (text === 'inbox:') return undefined;
  const what = 'must be smtp://host…, smtps://host… or inbox:';
  const why = whyWrong(text, ['smtp:', 'smtps:'], what);
  if (why !== undefined) return why;
  const { hostname, pathname, search, hash } = new URL(text);
  if (hostname === '') return what;
  return /^\/?$/.test(pathname) && search === '' && hash === ''
    ? undefined
    : 'must end after the host and its port: a path or query would not be read';
});

/**
 * The type of PUBLIC_URL, the prefix of our URLs. It is an http or https URL that has no query, fragment,
 * user or password; or it is just `/`, which makes our URLs relative. The text is not changed.
 */
export const publicUrl = checked((text) =>
  text === '/' ? undefined : whyWrong(text, ['http:', 'https:'], 'must be https://…, http://… or /'),
)
  .refine((text) => text === '/' || !/[?#]/.test(text), { error: 'must have no query and no fragment' })
  .refine(hasNoUser, { error: 'must have no user and no password: it is part of every link' });
