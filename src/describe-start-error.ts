import { type Config, ConfigError } from './config.ts';
import { asUnavailable, errorCodeOf, isFailedQuery, isRejectedLogin } from './platform/database-faults.ts';
import { Unavailable } from './platform/errors.ts';

/**
 * Says what to change after a failed start.
 * @returns a text for the terminal; undefined for a fault, which needs its stack trace
 */
export function describeStartError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'ConfigError' || /^Embedded(InUse|Unavailable)$/.test(error.name)) return error.message;
  const trouble = troubleOf(error);
  return trouble && `DATABASE_URL: ${trouble}`;
}

/**
 * The text of an unexpected error: its stack trace, or its message if it has none. A failed query is
 * described by its cause, as its own message quotes the parameters. What is no Error is converted to a
 * string.
 */
export function describeFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!isFailedQuery(error)) return error.stack ?? error.message;
  return error.cause === undefined ? 'A query of the database failed.' : describeFault(error.cause);
}

/**
 * The name of the setting with the URL of the login that owns the tables: `DATABASE_OWNER_URL` if it is set
 * to another URL than `DATABASE_URL`, or else `DATABASE_URL`.
 */
export const ownerSettingOf = ({ database }: Config): string =>
  database.kind === 'url' && database.ownerUrl !== database.url ? 'DATABASE_OWNER_URL' : 'DATABASE_URL';

/**
 * Runs a step of the start that needs the database, so that its errors name the setting.
 * @param setting name of the setting with the database's URL
 * @returns what `run` returns
 * @throws ConfigError, which begins with the setting's name, when the setting or the database has to be
 *   changed or the database does not answer; other errors are thrown unchanged
 */
export async function namingSetting<T>(setting: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const trouble = error instanceof Error ? troubleOf(error) : undefined;
    throw trouble === undefined ? error : new ConfigError(`${setting}: ${trouble}`, { cause: error });
  }
}

function troubleOf(error: Error): string | undefined {
  const root = rootOf(error);
  const state = errorCodeOf(error);
  if (root.name === 'Unsuitable' || state === 'CONNECTION_SHARED') return root.message;
  if (/set role|role "ticketwire_app"/.test(root.message) && state !== undefined)
    return (
      `the login may not act as ticketwire_app (${root.message}): GRANT ticketwire_app TO it; ` +
      'docs/OPERATIONS.md says which roles are needed'
    );
  if (state === '42501' && isRejectedLogin(error))
    return `the login may not connect (${root.message}): GRANT CONNECT ON DATABASE … TO it`;
  if (state === '42501')
    return (
      `the login may not do this (${root.message}); DATABASE_OWNER_URL is for the login that owns ` +
      'the tables, and docs/OPERATIONS.md says which roles a desk needs'
    );
  if (isRejectedLogin(error)) return root.message;
  if (state === '08P01')
    return (
      `the pooler in front of PostgreSQL refuses the connection (${root.message}); ` +
      'docs/OPERATIONS.md has the settings that it needs'
    );
  if (state !== undefined && /CERT|SELF_SIGNED/.test(state))
    return (
      `the server's certificate is not trusted (${state}): list its CA in the file of NODE_EXTRA_CA_CERTS, ` +
      'or set sslmode=require, which verifies no certificate'
    );
  return asUnavailable(error) instanceof Unavailable
    ? `the database does not answer (${state}: ${root.message})`
    : undefined;
}

/** The driver's error, without Drizzle's wrapper, which quotes the statement. */
function rootOf(error: Error): Error {
  return error.cause instanceof Error ? rootOf(error.cause) : error;
}
