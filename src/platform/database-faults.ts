import { Unavailable } from './errors.ts';

/** SQLSTATE of a driver's error, however deeply wrapped. A connection fault has the driver's code instead. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/**
 * SQLSTATEs of connection faults, of statement timeouts (57014), of lock timeouts (55P03), and of a server
 * that became a standby (25006).
 */
const temporaryStates = /^(08|57P0|57014|53|55P03|25006)/;
/** Codes of the driver and of Node. */
const temporaryCodes =
  /^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EMFILE|ENFILE)/;
/** Of these, the ones after which nothing was written: the statement was not sent, or was rolled back. */
const nothingDone =
  /^(57P03|57014|53|55P03|25006)|^(CONNECT_TIMEOUT|ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|EMFILE|ENFILE)/;

/**
 * Turns errors of a database that is down, starting, slow or full, and lock timeouts, into `Unavailable`.
 * Others are returned unchanged.
 */
export function asUnavailable(error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Unavailable) return at;
  const state = sqlState(error);
  if (state === undefined || !(temporaryStates.test(state) || temporaryCodes.test(state))) return error;
  const options = { cause: error, nothingWritten: nothingDone.test(state) };
  return isLockTimeout(error)
    ? new Unavailable('Another request holds a lock that this one needs; nothing was written', 2, options)
    : new Unavailable('The database is not responding', 2, options);
}

/** Whether the server gave up waiting for a lock, and rolled the statement back. */
export const isLockTimeout = (error: unknown): boolean => sqlState(error) === '55P03';

/** The constraint that a row violates; undefined for any other error. */
export function brokenConstraint(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { constraint_name: name } = at as { constraint_name?: unknown };
    if (typeof name === 'string') return name;
  }
  return undefined;
}
