import type postgres from 'postgres';
import { appendEvents } from '../events/append.ts';
import type { Visibility } from '../vocabulary.ts';
import type { Verdict } from './clamd.ts';

/*
 * Files that wait for a scan are attachments that say so: written by their message's own commit, with their mail waiting. Any number of
 * processes take them, each for a while; what a dead one took is due again by itself. A verdict is about bytes that never change, so
 * one that comes twice is no harm.
 */

/** Where a commit that brought a file says so. */
export const scansChannel = 'ticketwire_scans';

export interface Waiting {
  readonly attachmentId: number;
  readonly blobKey: string;
}

/** Takes files that are due, the one that waits longest first, for so many seconds. */
export async function claimScans(sql: postgres.Sql, limit: number, leaseSeconds: number): Promise<Waiting[]> {
  return sql<Waiting[]>`
    update attachments a set scan_due_at = clock_timestamp() + make_interval(secs => ${leaseSeconds}::float8)
    from (
      select id from attachments where scan = 'PENDING' and scan_due_at <= clock_timestamp()
      order by scan_due_at limit ${limit} for no key update skip locked
    ) due
    where a.id = due.id and a.blob_key is not null
    returning a.id as "attachmentId", a.blob_key as "blobKey"`;
}

/** Puts a file off, or keeps it for longer. */
export async function putOffScan(sql: postgres.Sql, attachmentId: number, seconds: number): Promise<void> {
  await sql`
    update attachments set scan_due_at = clock_timestamp() + make_interval(secs => ${seconds}::float8)
    where id = ${attachmentId} and scan = 'PENDING'`;
}

/** Says in the ledger why a file's mail still waits. */
export async function tellWhyScanWaits(sql: postgres.Sql, attachmentId: number, why: string): Promise<void> {
  await sql`
    update deliveries d set failure = ${`Waits: its files could not be scanned yet (${why})`}
    from attachments a where a.id = ${attachmentId} and d.message_id = a.message_id and d.awaits_scan`;
}

/** Milliseconds until a file may be due; undefined: none waits. */
export async function nextScan(sql: postgres.Sql): Promise<number | undefined> {
  const [row] = await sql<{ ms: number | null }[]>`
    select extract(epoch from min(scan_due_at) - clock_timestamp())::float8 * 1000 as ms from attachments where scan = 'PENDING'`;
  return row?.ms == null ? undefined : Math.max(0, row.ms);
}

/**
 * Writes a verdict, tells the ticket's watchers, and lets the mail go on once nothing is left to be scanned, or something was found: the
 * worker then fails it, and its ledger says why.
 */
export async function settleScan(sql: postgres.Sql, attachmentId: number, verdict: Verdict): Promise<void> {
  await sql.begin(async (transaction) => {
    const tx = transaction as unknown as postgres.Sql;
    const [place] = await tx<{ messageId: number; ticketId: number; visibility: Visibility }[]>`
      select m.id as "messageId", m.ticket_id as "ticketId", m.visibility
      from attachments a join messages m on m.id = a.message_id where a.id = ${attachmentId}`;
    if (place === undefined) return;
    const { messageId, ticketId, visibility } = place;
    await tx`select from tickets where id = ${ticketId} for no key update`;
    const found = verdict.scan === 'INFECTED' ? verdict.found : null;
    const changed = await tx`
      update attachments set scan = ${verdict.scan}, scan_due_at = null, scan_found = ${found}
      where id = ${attachmentId} and scan = 'PENDING' returning id`;
    // It was redacted meanwhile, or another process was first.
    if (changed.length === 0) return;
    await appendEvents(tx, ticketId, [
      { type: 'ATTACHMENT_SCANNED', visibility, actorId: null, messageId, deliveryId: null },
    ]);
    await releaseMail(tx, messageId);
  });
}

async function releaseMail(tx: postgres.Sql, messageId: number): Promise<void> {
  await tx`
    with files as (
      select bool_or(scan = 'PENDING') as waiting, bool_or(scan = 'INFECTED') as infected from attachments where message_id = ${messageId}
    ), released as (
      -- One that was to be sent later fails now: its author can still do something about it.
      update deliveries d set awaits_scan = false, failure = null,
        due_at = case when f.infected then least(d.due_at, clock_timestamp()) else d.due_at end
      from files f where d.message_id = ${messageId} and d.awaits_scan and (f.infected or not f.waiting)
      returning d.id
    )
    select pg_notify('ticketwire_outbox', '') from released`;
}
