import { sql as build, type SQL } from 'drizzle-orm';
import type postgres from 'postgres';
import { assign, insertFrom } from '../../db/insert-from.ts';
import { outboxChannel } from '../../db/notify-channels.ts';
import { runStatement } from '../../db/run-statement.ts';
import { outboxHomes } from '../../db/tables.ts';
import type { Logger } from '../../platform/log.ts';

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

/** A committed attempt. A database without it has lost data. */
export interface KnownAttempt {
  readonly id: number;
  readonly attempts: number;
}

/** Where the outbox belongs, and whether it is held. */
export interface OutboxHome {
  /** Since when sending is held; null: it is not. */
  readonly heldAt: Date | null;
  readonly reason: string | null;
  /** Whether the row was written at another location. */
  readonly moved: boolean;
  /** Whether the cluster's timeline has changed since. */
  readonly turned: boolean;
  readonly here: DatabaseLocation;
}

const copied =
  'this database is a copy of the one whose mails these are: restored from a dump, cloned or moved';
const recovered =
  'this cluster was recovered from a backup, or is a standby that was promoted ' +
  'while no worker of this desk ran';
const wentBack = 'the database is in an earlier state than a moment ago';
const advice =
  'The original database may have sent the same mails. `ticketwire outbox show` lists what waits, ' +
  '`ticketwire outbox release` sends it';

/** Reads the location of this database. */
export async function findLocation(sql: postgres.Sql): Promise<DatabaseLocation> {
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

/** Reads the outbox's home, and records this location when there is none yet. */
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
  return { heldAt, reason, moved, turned: timeline !== here.timeline, here };
}

/**
 * Stops sending until the outbox is released. Mails in transmission are finished.
 * @returns false when it was held already
 */
export async function hold(sql: postgres.Sql, reason: string): Promise<boolean> {
  const held = await runStatement(
    sql,
    build`update ${outboxHomes} set ${assign(outboxHomes, { heldAt: build`clock_timestamp()`, reason })}
      where ${outboxHomes.heldAt} is null returning 1 as held`,
  );
  await sql`select pg_notify(${outboxChannel}, 'home')`;
  return held.length > 0;
}

/** Records this location as the outbox's home and resumes sending. */
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
 * Why a worker that starts now would send nothing; undefined when it would send. Writes only a missing home.
 */
export async function whyHeld(sql: postgres.Sql): Promise<string | undefined> {
  const { heldAt, reason, moved, turned } = await findOutboxHome(sql);
  if (heldAt !== null) return reason ?? 'held';
  if (moved) return copied;
  return turned ? recovered : undefined;
}

/** Checks whether the database lost known attempts, and returns its newest mail for the next check. */
async function remember(
  sql: postgres.Sql,
  known: readonly KnownAttempt[],
): Promise<{ lost: boolean; newest: KnownAttempt[] }> {
  const found = await sql<KnownAttempt[]>`
    select id, attempts from deliveries where id = any (${known.map(({ id }) => id)}::int[])`;
  const attempts = new Map(found.map((one) => [one.id, one.attempts]));
  const lost = known.some((one) => (attempts.get(one.id) ?? -1) < one.attempts);
  const newest = await sql<KnownAttempt[]>`select id, attempts from deliveries order by id desc limit 1`;
  return { lost, newest: [...newest] };
}

/** The check before each claim. */
export interface SendingGate {
  /** Whether mails may be sent. It queries the database at most every `everyMs`, and logs a reason once. */
  isOpen(): Promise<boolean>;
  /** Called when the outbox was held or released. */
  recheck(): void;
  /** Called when an attempt begins. */
  attemptStarted(attempt: KnownAttempt): void;
}

/**
 * Creates the check before each claim. A worker that ran while a standby was promoted knows the last
 * attempts, and continues if the database still has them. A worker that starts later cannot know, and waits
 * for such a worker or for an operator.
 * @param everyMs milliseconds between two queries while mails are sent
 */
export function createSendingGate(sql: postgres.Sql, log: Logger, everyMs: number): SendingGate {
  let askedAt = Number.NEGATIVE_INFINITY;
  let known: readonly KnownAttempt[] | undefined;
  let last: KnownAttempt | undefined;
  let told: string | undefined;

  async function whyNot(): Promise<string | undefined> {
    const { heldAt, reason, moved, turned, here } = await findOutboxHome(sql);
    if (heldAt !== null) return reason ?? 'held';
    const { lost, newest } = await remember(sql, [...(known ?? []), ...(last === undefined ? [] : [last])]);
    if (moved || lost) {
      const why = moved ? copied : wentBack;
      await hold(sql, why);
      return why;
    }
    if (turned && known === undefined) return recovered;
    if (turned) await setOutboxHome(sql, here);
    known = newest;
    return undefined;
  }

  return {
    async isOpen() {
      if (told === undefined && performance.now() - askedAt < everyMs) return true;
      const why = await whyNot();
      askedAt = performance.now();
      if (why === undefined && told !== undefined) log.info('mails are sent again');
      if (why !== undefined && why !== told) log.error({ why, advice }, 'no mail is sent');
      told = why;
      return why === undefined;
    },
    recheck() {
      askedAt = Number.NEGATIVE_INFINITY;
    },
    attemptStarted(attempt) {
      last = attempt;
    },
  };
}
