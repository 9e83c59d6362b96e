import { Unsuitable } from './assert-suitable.ts';
import { type Connection, openClient } from './driver/client.ts';
import type { Wire } from './driver/postgres-socket.ts';
import { isShared } from './driver/session/server-error.ts';

/** How long a session is waited for, seconds. A pooler opens its sessions one after another. */
const patienceSeconds = 5;

/**
 * Counts how many connections get a session of PostgreSQL at the same time, up to `wanted`. A pooler accepts
 * connections beyond the size of its pool, and their statements wait until another client leaves.
 * @returns undefined when the connection leads to PostgreSQL itself
 * @throws when a pooler shares sessions between connections, or an error of the driver
 */
export async function countSessions(connection: Connection, wanted: number): Promise<number | undefined> {
  const wires = new Set<Wire>();
  const client = openClient(connection, {
    max: wanted,
    wires,
    connectSeconds: patienceSeconds,
    applicationName: 'ticketwire-probe',
    settings: {},
  });
  try {
    // This one's failure says what is wrong with all of them.
    await client`select`;
    if (![...wires].some(({ isPooled }) => isPooled)) return undefined;
    const asked = Array.from({ length: wanted }, () => client`select`.execute());
    for (const answer of await Promise.allSettled(asked))
      if (answer.status === 'rejected' && isShared(answer.reason)) throw answer.reason;
    return [...wires].filter(({ isPooled }) => isPooled).length;
  } finally {
    await client.end({ timeout: 1 });
  }
}

/**
 * Checks that a pooler has enough sessions for a process. One that runs out of them lets statements wait at
 * the busiest hour.
 * @throws Unsuitable when it has too few, or an error of the driver
 */
export async function assertSessions(connection: Connection, needed: number): Promise<void> {
  const given = await countSessions(connection, needed);
  if (given !== undefined && given < needed)
    throw new Unsuitable(
      `the pooler gives this process ${given} of the ${needed} sessions that it may need: raise ` +
        'default_pool_size (or pool_size, max_db_connections, max_client_conn) in pgbouncer.ini, or lower ' +
        'DATABASE_POOL',
    );
}
