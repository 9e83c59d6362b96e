import postgres from 'postgres';
import type { Gateway } from '../support/gateway.ts';

/** A session as the gateway's role has it for the demo's requester, held back by the policies alone. */
export async function openRequesterSession({ sql: owner, database }: Gateway) {
  const [row] = await owner<{ id: number }[]>`select id from users where login = 'requester'`;
  const { id } = row!;
  const sql = postgres({
    ...(database.connection as object),
    max: 1,
    connection: {
      role: 'ticketwire_app',
      'ticketwire.viewer_role': 'REQUESTER',
      'ticketwire.viewer_id': String(id),
    },
  } as never);
  return { id, sql, [Symbol.asyncDispose]: () => sql.end() };
}
