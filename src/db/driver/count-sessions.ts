import { type Connection, endClient, openClient } from './client.ts';
import type { Wire } from './postgres-socket.ts';
import { isShared } from './session/server-error.ts';

/** Seconds to wait for a session. A pooler opens its sessions one after another. */
const patienceSeconds = 5;

/**
 * Counts how many connections get a session of PostgreSQL at the same time, by opening up to `wanted`. A
 * pooler accepts connections beyond the size of its pool, and their statements wait until another client
 * leaves: those that wait for 5 s are not counted. All are closed again.
 * @returns undefined when the connection leads to PostgreSQL itself
 * @throws Error (CONNECTION_SHARED) when a pooler shares sessions between connections, or an error of the
 *   driver when the first connection fails
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
  const pooled = () => [...wires].filter(({ isPooled }) => isPooled).length;
  try {
    // This one's failure says what is wrong with all of them.
    await client`select`;
    if (pooled() === 0) return undefined;
    const asked = Array.from({ length: wanted }, () => client`select`.execute());
    for (const answer of await Promise.allSettled(asked))
      if (answer.status === 'rejected' && isShared(answer.reason)) throw answer.reason;
    return pooled();
  } finally {
    await endClient(client, () => wires.size > 0, 1000);
  }
}
