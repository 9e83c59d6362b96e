import type postgres from 'postgres';
import type { JournalEntry } from '../../support/servers/smtp-sink-process.ts';

export interface Verdict {
  readonly mails: number;
  readonly sent: number;
  readonly unknown: number;
  readonly taken: number;
  /** The violations, one sentence each; empty: none. */
  readonly faults: readonly string[];
}

/**
 * Compares the ledger with what the server accepted, mail by mail.
 * @param diedAtBody deliveries whose worker was killed while they were at BODY
 * @param cutAfterDot deliveries whose server was killed after the final dot, under the eyes of a living
 *   worker
 */
export async function check(
  sql: postgres.Sql,
  journal: readonly JournalEntry[],
  diedAtBody: ReadonlySet<number>,
  cutAfterDot: ReadonlySet<number>,
): Promise<Verdict> {
  const rows = await sql<{ id: number; state: string; rfc: string; attempts: number }[]>`
    select id, state, rfc_message_id as rfc, attempts from deliveries order by id`;
  const copies = new Map<string, number>();
  for (const { messageId } of journal) copies.set(messageId, (copies.get(messageId) ?? 0) + 1);
  const faults: string[] = [];
  for (const { id, state, rfc, attempts } of rows) {
    const taken = copies.get(rfc) ?? 0;
    if (taken > 1) faults.push(`delivery ${id} was taken ${taken} times`);
    if (state !== 'SENT' && state !== 'OUTCOME_UNKNOWN') faults.push(`delivery ${id} ended ${state}`);
    if (state === 'SENT' && taken === 0) faults.push(`delivery ${id} is SENT and was never taken`);
    const expected = diedAtBody.has(id) || cutAfterDot.has(id);
    if (state === 'OUTCOME_UNKNOWN' && !expected)
      faults.push(
        `delivery ${id} is OUTCOME_UNKNOWN after ${attempts} attempts, and no attempt died at BODY`,
      );
    if (state === 'SENT' && diedAtBody.has(id)) faults.push(`delivery ${id} died at BODY and is called SENT`);
  }
  const events = await sql`
    select ticket_id from events group by ticket_id having max(number) <> count(*)
    union all
    select t.id from tickets t where t.last_event_number <> (select count(*) from events e
    where e.ticket_id = t.id)`;
  if (events.length > 0) faults.push(`${events.length} tickets have gaps in their events`);
  const unpaired = await sql`
    select d.id from deliveries d where (select count(*) from events e where e.delivery_id = d.id
    and e.type = 'DELIVERY_SENT') <> (d.state = 'SENT')::int`;
  if (unpaired.length > 0)
    faults.push(`${unpaired.length} deliveries have no or several DELIVERY_SENT events`);
  return {
    mails: rows.length,
    sent: rows.filter(({ state }) => state === 'SENT').length,
    unknown: rows.filter(({ state }) => state === 'OUTCOME_UNKNOWN').length,
    taken: journal.length,
    faults,
  };
}
