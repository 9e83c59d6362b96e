import { sql as build, type SQL } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign, insertFrom } from '../../../db/insert-from.ts';
import { outboxChannel } from '../../../db/notify-channels.ts';
import { runStatement } from '../../../db/run-statement.ts';
import { outboxHomes } from '../../../db/tables.ts';

/*
 * A database that was restored from a dump, cloned or rolled back holds mails as waiting that the original
 * has sent or will send. So the outbox records its home: the cluster, the database and the table in which it
 * was first opened, and the cluster's timeline. A copy has the same row at another location, and sends
 * nothing until `ticketwire outbox release`.
 */

/** The location of a database as PostgreSQL reports it. */
export interface DatabaseLocation {
  /** The cluster's identifier and the oids of the database and the table. A dump contains none of them. */
  readonly place: string;
  /** Increases when a standby is promoted and when a backup is recovered. */
  readonly timeline: number;
}

/** Whether this database is the one to which the outbox belongs, and whether sending is held. */
export interface OutboxHome {
  /** Since when sending is held; null: it is not. */
  readonly heldAt: Date | null;
  /** The text given to `holdOutbox`; null when sending is not held. */
  readonly reason: string | null;
  /** Whether the outbox belongs to another location, so that this database is a copy. */
  readonly moved: boolean;
  /** Whether the cluster was promoted or recovered since the home was recorded. */
  readonly timelineChanged: boolean;
  /** The location of this database. */
  readonly here: DatabaseLocation;
}

/** Why sending is held in a copy of the outbox's database. */
export const copied =
  'this database is a copy of the one whose mails these are: restored from a dump, cloned or moved';
/** Why sending is held in a database whose cluster has another timeline. */
export const recovered =
  'this cluster was recovered from a backup, or is a standby that was promoted ' +
  'while no worker of this desk ran';

/** Reads the location of this database. */
async function findLocation(sql: postgres.Sql): Promise<DatabaseLocation> {
  const [may] = await sql`select has_function_privilege('pg_control_system()', 'execute') as may`;
  const system = may!.may
    ? sql`(select system_identifier::text from pg_control_system())`
    : sql`'cluster'::text`;
  const [here] = await sql<DatabaseLocation[]>`
    select ${system} || '/' || d.oid || '/' || 'public.deliveries'::regclass::oid as place,
      ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int as timeline
    from pg_database d where d.datname = current_database()`;
  return here!;
}

/**
 * Tells this database from one that takes its place while a worker runs, as when a dump is restored under its
 * name: the server's process, the database and the table. It is cheap to read, and only for comparing.
 */
export async function findMark(sql: postgres.Sql): Promise<string> {
  const [row] = await sql<[{ mark: string }]>`
    select concat_ws('/', pg_postmaster_start_time(), d.oid, 'public.deliveries'::regclass::oid) as mark
    from pg_database d where d.datname = current_database()`;
  return row.mark;
}

/**
 * Reads the outbox's home and compares it with this database. Records this location when there is no home
 * yet.
 */
export async function findOutboxHome(sql: postgres.Sql): Promise<OutboxHome> {
  const here = await findLocation(sql);
  await runStatement(sql, build`${insertHome(here)} on conflict do nothing`);
  const [row] = await runStatement<DatabaseLocation & Pick<OutboxHome, 'heldAt' | 'reason'>>(
    sql,
    build`select ${outboxHomes.heldAt} as "heldAt", ${outboxHomes.reason} as reason,
      ${outboxHomes.place} as place, ${outboxHomes.timeline} as timeline from ${outboxHomes}`,
  );
  const { heldAt, reason, place, timeline } = row!;
  const moved = place !== here.place;
  return { heldAt, reason, moved, timelineChanged: timeline !== here.timeline, here };
}

/**
 * Stops sending in all processes until the outbox is released, and wakes the workers. Mails in transmission
 * are finished. A hold keeps its first reason.
 * @returns false when it was held already, or has no home yet
 */
export async function holdOutbox(sql: postgres.Sql, reason: string): Promise<boolean> {
  const held = await runStatement(
    sql,
    build`update ${outboxHomes} set ${assign(outboxHomes, { heldAt: build`clock_timestamp()`, reason })}
      where ${outboxHomes.heldAt} is null returning 1 as held`,
  );
  await sql`select pg_notify(${outboxChannel}, 'home')`;
  return held.length > 0;
}

/** Records this location as the outbox's home, ends a hold, and wakes the workers: mails are sent again. */
export async function setOutboxHome(sql: postgres.Sql, here: DatabaseLocation): Promise<void> {
  const only = build.identifier(outboxHomes.only.name);
  await runStatement(
    sql,
    build`${insertHome(here)} on conflict (${only}) do update
      set ${assign(outboxHomes, { ...here, heldAt: null, reason: null })}`,
  );
  await sql`select pg_notify(${outboxChannel}, 'home')`;
}

const insertHome = ({ place, timeline }: DatabaseLocation): SQL =>
  insertFrom(
    outboxHomes,
    { place: build`${place}::text`, timeline: build`${timeline}::int` },
    build`(select) as here`,
  );

/**
 * Why a worker that starts now would send nothing: the outbox is held, the database is a copy, or its
 * timeline changed. It records a missing home, but never holds the outbox. A worker that is running may go on
 * after a change of the timeline, see `createSendingGate`.
 * @returns undefined when the worker would send
 */
export async function whyHeld(sql: postgres.Sql): Promise<string | undefined> {
  const { heldAt, reason, moved, timelineChanged } = await findOutboxHome(sql);
  if (heldAt !== null) return reason ?? 'held';
  if (moved) return copied;
  return timelineChanged ? recovered : undefined;
}
