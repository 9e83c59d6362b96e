import { sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { assign } from '../db/insert-from.ts';
import { outboxChannel } from '../db/notify-channels.ts';
import { runStatement } from '../db/run-statement.ts';
import { attachments, deliveries, messages, tickets } from '../db/tables.ts';
import { appendEvents } from '../events/append-events.ts';
import type { Visibility } from '../platform/vocabulary.ts';
import type { ScanResult } from './clamd.ts';

/*
 * The queue consists of attachments with a pending scan. They are inserted by their message's commit, and
 * their mail waits for them. Any number of processes claim them under a lease; files of a dead process
 * become due again. A result concerns bytes that never change, so a second one is harmless.
 */

const a = alias(attachments, 'a');
const d = alias(deliveries, 'd');

const isPending = sql`${a.scan} = 'PENDING'`;
/** A mail that was cancelled or resolved meanwhile keeps the text that says why. */
const isWaiting = sql`${d.state} in ('QUEUED', 'HELD', 'DEFERRED')`;
const inSeconds = (seconds: number) => sql`clock_timestamp() + make_interval(secs => ${seconds}::float8)`;

/** Due times are at most this far ahead. A later one was written before the clock was set back: it is due. */
const latest = inSeconds(600);

/** A file to scan. */
export interface PendingScan {
  readonly attachmentId: number;
  readonly blobKey: string;
}

/**
 * Claims up to `limit` due files for `leaseSeconds`, those first that have been due the longest. A claimed
 * file becomes due again when its lease ends. Files that another process is claiming are skipped.
 * @returns none when no file is due
 */
export async function claimScans(
  client: postgres.Sql,
  limit: number,
  leaseSeconds: number,
): Promise<PendingScan[]> {
  return runStatement<PendingScan>(
    client,
    sql`
    with due as (
      select ${a.id} from ${attachments} a
      where ${isPending} and ${a.scanDueAt} not between clock_timestamp() and ${latest}
      order by ${a.scanDueAt} limit ${limit} for no key update skip locked
    )
    update ${attachments} a set ${assign(attachments, { scanDueAt: inSeconds(leaseSeconds) })}
    from due where ${a.id} = due.id and ${a.blobKey} is not null
    returning ${a.id} as "attachmentId", ${a.blobKey} as "blobKey"`,
  );
}

/**
 * Makes a file due `seconds` from now, which postpones it or extends its lease. Ignores a file that has a
 * result already.
 */
export async function putOffScan(client: postgres.Sql, attachmentId: number, seconds: number): Promise<void> {
  await runStatement(
    client,
    sql`
    update ${attachments} a set ${assign(attachments, { scanDueAt: inSeconds(seconds) })}
    where ${a.id} = ${attachmentId} and ${isPending}`,
  );
}

/** Records in the delivery that waits for the file, if there is one, why it waits: operators see `why`. */
export async function recordScanFailure(
  client: postgres.Sql,
  attachmentId: number,
  why: string,
): Promise<void> {
  const failure = `Waiting: its files could not be scanned yet (${why})`;
  await runStatement(
    client,
    sql`
    update ${deliveries} d set ${assign(deliveries, { failure })}
    from ${attachments} a
    where ${a.id} = ${attachmentId} and ${d.messageId} = ${a.messageId} and ${d.awaitsScan}
      and ${isWaiting}`,
  );
}

/** Milliseconds until the next file is due, 0 if one is already; undefined: none is pending. */
export async function nextScan(client: postgres.Sql): Promise<number | undefined> {
  const [row] = await runStatement<{ ms: number | null }>(
    client,
    sql`
    select extract(epoch from min(${a.scanDueAt}) - clock_timestamp())::float8 * 1000 as ms
    from ${attachments} a where ${isPending}`,
  );
  return row?.ms == null ? undefined : Math.max(0, row.ms);
}

interface FileLocation {
  readonly messageId: number;
  readonly ticketId: number;
  readonly visibility: Visibility;
}

/**
 * Stores a result, writes the event ATTACHMENT_SCANNED, and releases the message's mail once no file is
 * pending or one is infected, in one transaction under the ticket's lock. A mail with an infected file
 * becomes due at once; the mail worker fails it, and the delivery says why. Does nothing when the file was
 * redacted, or its result is stored already.
 */
export async function settleScan(
  client: postgres.Sql,
  attachmentId: number,
  result: ScanResult,
): Promise<void> {
  await client.begin(async (transaction) => {
    const tx = transaction as unknown as postgres.Sql;
    const [place] = await runStatement<FileLocation>(
      tx,
      sql`
      select ${messages.id} as "messageId", ${messages.ticketId} as "ticketId",
        ${messages.visibility} as visibility
      from ${attachments} a join ${messages} on ${messages.id} = ${a.messageId}
      where ${a.id} = ${attachmentId}`,
    );
    if (place === undefined) return;
    const { messageId, ticketId, visibility } = place;
    await runStatement(tx, sql`select from ${tickets} where ${tickets.id} = ${ticketId} for no key update`);
    const scanFound = result.scan === 'INFECTED' ? result.found : null;
    const changed = await runStatement(
      tx,
      sql`
      update ${attachments} a set ${assign(attachments, { scan: result.scan, scanDueAt: null, scanFound })}
      where ${a.id} = ${attachmentId} and ${isPending} returning ${a.id}`,
    );
    // It was redacted meanwhile, or another process was first.
    if (changed.length === 0) return;
    await runStatement(
      tx,
      appendEvents(ticketId, [
        { type: 'ATTACHMENT_SCANNED', visibility, actorId: null, messageId, deliveryId: null },
      ]),
    );
    await releaseMail(tx, messageId);
  });
}

async function releaseMail(tx: postgres.Sql, messageId: number): Promise<void> {
  await runStatement(
    tx,
    sql`
    with files as (
      select bool_or(${isPending}) as waiting, bool_or(${a.scan} = 'INFECTED') as infected
      from ${attachments} a where ${a.messageId} = ${messageId}
    ), released as (
      -- A scheduled mail fails now, so that its author can still react.
      update ${deliveries} d set ${assign(deliveries, {
        awaitsScan: false,
        failure: sql`case when not ${isWaiting} then ${d.failure} end`,
        dueAt: sql`case when f.infected then least(${d.dueAt}, clock_timestamp()) else ${d.dueAt} end`,
      })}
      from files f where ${d.messageId} = ${messageId} and ${d.awaitsScan} and (f.infected or not f.waiting)
      returning ${d.id}
    )
    select pg_notify(${outboxChannel}, '') from released`,
  );
}
