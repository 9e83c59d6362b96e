import { Unavailable } from './errors.ts';

/**
 * SQLSTATE of a driver's error, however deep it is wrapped; a connection's fault has the driver's own code.
 */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/**
 * Beside connections: a statement that took too long (57014), a lock that was not had (55P03), and a server
 * that became a standby (25006).
 */
const connectionFaults =
  /^(08|57P0|57014|53|55P03|25006)|^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET|EMFILE|ENFILE)/;
/**
 * Of these, the ones that say that nothing was done: the statement was never sent, or the server took back
 * what it had begun.
 */
const nothingDone =
  /^(57P03|57014|53|55P03|25006)|^(CONNECT_TIMEOUT|ECONNREFUSED|ENOENT|ENOTFOUND|EAI_AGAIN|EMFILE|ENFILE)/;

/**
 * Turns a database that is down, starting, slow or full into `Unavailable`; every other error stays what it
 * is.
 */
export function asUnavailable(error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Unavailable) return at;
  const state = sqlState(error);
  if (state === undefined || !connectionFaults.test(state)) return error;
  const options = { cause: error, nothingWritten: nothingDone.test(state) };
  return isLockTimeout(error)
    ? new Unavailable('Somebody else holds what this needs; nothing was written', 2, options)
    : new Unavailable('The database does not answer', 2, options);
}

/** Whether the server gave up waiting for a lock; it took back what the statement had done. */
export const isLockTimeout = (error: unknown): boolean => sqlState(error) === '55P03';

/** The constraint that a row would have broken; undefined for any other error. */
export function brokenConstraint(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { constraint_name: name } = at as { constraint_name?: unknown };
    if (typeof name === 'string') return name;
  }
  return undefined;
}
