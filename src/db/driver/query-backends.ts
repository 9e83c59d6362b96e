import { setTimeout as sleep } from 'node:timers/promises';
import { type Connection, openClient } from './client.ts';
import type { ServerState } from './close-silent-connections.ts';

const answerMs = 1000;

/**
 * Creates a function that queries the state of the server, and of some backends by their process ids, over a
 * connection of its own that is opened for each query. The connection does not `set role` to the gateway's
 * role, because `pg_stat_activity` shows the details of a session only to the login that owns it. The
 * backends are in no order. Backends that do not exist, or belong to another database, are missing from it.
 * @returns a function that never rejects: it resolves to undefined when the query fails or is not answered
 *   within a second
 */
export const queryBackends =
  (connection: Connection) =>
  async (pids: readonly number[]): Promise<ServerState | undefined> => {
    const client = openClient(connection, {
      max: 1,
      connectSeconds: answerMs / 1000,
      applicationName: 'ticketwire-probe',
    });
    const asked = client<[ServerState]>`
      select pg_is_in_recovery() as "isStandby", coalesce(json_agg(json_build_object(
        'pid', pid, 'isIdle', state like 'idle%',
        'stateMs', extract(epoch from clock_timestamp() - state_change) * 1000,
        'ageMs', extract(epoch from clock_timestamp() - backend_start) * 1000)), '[]') as backends
      from pg_stat_activity
      where pid = any (${[...pids]}::int[]) and datname = current_database() and state is not null`.then(
      ([server]) => server,
      () => undefined,
    );
    const answered = await Promise.race([asked, sleep(answerMs, undefined, { ref: false })]);
    void client.end({ timeout: 0 });
    return answered;
  };
