import { sql } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign } from '../../db/insert-from.ts';
import { runStatement } from '../../db/run-statement.ts';
import { mailboxes } from '../../db/tables.ts';
import { m } from '../table-aliases.ts';

/**
 * Records the server's size limit (EHLO SIZE) for its mailbox, so that the command refuses larger mails.
 * Limits beyond 2^31 - 1 octets are recorded as that. If the mailbox's row is locked, nothing is recorded:
 * this mail's outcome does not wait, and the next mail records it.
 */
export async function recordSizeLimit(
  client: postgres.Sql,
  mailboxId: number,
  octets: number,
): Promise<void> {
  const limit = Math.min(octets, 2_147_483_647);
  await runStatement(
    client,
    sql`
    update ${mailboxes} m set ${assign(mailboxes, { serverMaxMailBytes: limit })}
    where ${m.id} = (
      select ${m.id} from ${mailboxes} m
      where ${m.id} = ${mailboxId} and ${m.serverMaxMailBytes} is distinct from ${limit}
      for no key update of m skip locked)`,
  );
}
