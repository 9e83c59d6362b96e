import { Unavailable } from './errors.ts';

/** SQLSTATE of a driver's error, however deep it is wrapped; a connection's fault has the driver's own code. */
export function sqlState(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as { code?: unknown };
    if (typeof code === 'string') return code;
  }
  return undefined;
}

/** Beside connections: a statement that took too long (57014), and a server that became a standby (25006). */
const connectionFaults =
  /^(08|57P0|57014|53|25006)|^(CONNECTION_|CONNECT_TIMEOUT|ECONN|ENOENT|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOST|ENET)/;

/** Turns a database that is down, starting, slow or full into `Unavailable`; every other error stays what it is. */
export function asUnavailable(error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof Unavailable) return at;
  const state = sqlState(error);
  return state !== undefined && connectionFaults.test(state)
    ? new Unavailable('The database does not answer', 2, { cause: error })
    : error;
}
