import { type Connection, openDatabase } from '../../../src/db/database.ts';
import { createGroupCommit } from '../../../src/tickets/add-message/commit/group-commit.ts';

/** Adds the message `n` to each of several tickets. */
export type AddInGroups = (n: number, tickets: number) => Promise<void>;

/**
 * Writes as a gateway beside the measured one would, by the same group commit.
 * @param firstTicket id of the first of the tickets
 */
export function createGroupWriter(
  parts: AsyncDisposableStack,
  connection: Connection,
  firstTicket: number,
): AddInGroups {
  const database = parts.use(openDatabase(connection));
  const groups = parts.use(createGroupCommit(database.writer, false));
  const add = async (n: number, ticketId: number) => {
    const { verdict } = await groups.append({
      ...{ body: `no ${n}.`, format: 'TEXT', visibility: 'PUBLIC', isMobileDevice: false, language: null },
      ...{ viewerId: 1, isOperator: true, ticketId },
    });
    if (verdict !== null) throw new Error(`adding a message failed: ${verdict}`);
  };
  return async (n, tickets) => {
    await Promise.all(Array.from({ length: tickets }, (_, t) => add(n, firstTicket + t)));
  };
}
