import type postgres from 'postgres';
import type { Logger } from '../../platform/log.ts';

/*
 * A database that was restored from a dump, cloned, or put back to an earlier time holds mails as waiting
 * that the desk which it was copied from has sent, or is about to send. So the outbox has a home: the
 * cluster, the database and the table that it was first opened in, and the history of that cluster. A copy
 * has the same row and is elsewhere; its mails wait until somebody says `ticketwire outbox release`.
 */

/** Where a database is, as PostgreSQL says it. */
export interface DatabaseLocation {
  /** The cluster's identifier, the database's oid and the table's: a dump carries none of them along. */
  readonly place: string;
  /** Counts up when a standby is promoted, and when a backup is recovered. */
  readonly timeline: number;
}

/** An attempt that was committed: a database that does not know it has lost it. */
export interface KnownAttempt {
  readonly id: number;
  readonly attempts: number;
}

export interface Home {
  readonly heldAt: Date | null;
  readonly reason: string | null;
  /** The row was written somewhere else. */
  readonly moved: boolean;
  /** The cluster has taken another turn in its history since. */
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

/** The outbox's home, which is here when it has none yet. */
export async function findHome(sql: postgres.Sql): Promise<Home> {
  const here = await findLocation(sql);
  await sql`
    insert into outbox_homes (place, timeline) values (${here.place}, ${here.timeline})
    on conflict do nothing`;
  const [row] = await sql<(DatabaseLocation & Pick<Home, 'heldAt' | 'reason'>)[]>`
    select held_at as "heldAt", reason, place, timeline from outbox_homes`;
  const { heldAt, reason, place, timeline } = row!;
  const moved = place !== here.place;
  return { heldAt, reason, moved, turned: timeline !== here.timeline, here };
}

/**
 * Nothing is sent until it is released; what is being sent now is ended. @returns whether it was not held
 * before
 */
export async function hold(sql: postgres.Sql, reason: string): Promise<boolean> {
  const held = await sql`
    update outbox_homes set held_at = clock_timestamp(), reason = ${reason}
    where held_at is null returning 1 as held`;
  await sql`select pg_notify('ticketwire_outbox', 'home')`;
  return held.length > 0;
}

/** The outbox is at home here, and what waits may go. */
export async function settleHere(sql: postgres.Sql, { place, timeline }: DatabaseLocation): Promise<void> {
  await sql`
    insert into outbox_homes (place, timeline) values (${place}, ${timeline})
    on conflict ("only") do update
      set place = excluded.place, timeline = excluded.timeline, held_at = null, reason = null`;
  await sql`select pg_notify('ticketwire_outbox', 'home')`;
}

/**
 * Why no worker that starts now sends anything; undefined: mails go. Nothing is changed but a home that there
 * is not yet.
 */
export async function whyHeld(sql: postgres.Sql): Promise<string | undefined> {
  const { heldAt, reason, moved, turned } = await findHome(sql);
  if (heldAt !== null) return reason ?? 'held';
  if (moved) return copied;
  return turned ? recovered : undefined;
}

/** Whether the database has lost what it once knew; and its newest mail, to be known from now on. */
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

export interface Gate {
  /** Whether mails may go. It asks the database when it has to, and says once why they may not. */
  isOpen(): Promise<boolean>;
  /** Somebody has held or released the outbox. */
  askAgain(): void;
  /** This attempt was begun. */
  began(attempt: KnownAttempt): void;
}

/**
 * What a worker asks before it looks for mails. A worker that was at work when a standby was promoted knows
 * what has to be there, and goes on when it is; one that starts after it cannot know, and waits for the other
 * or for a person.
 */
export function createGate(sql: postgres.Sql, log: Logger, everyMs: number): Gate {
  let askedAt = Number.NEGATIVE_INFINITY;
  let known: readonly KnownAttempt[] | undefined;
  let last: KnownAttempt | undefined;
  let told: string | undefined;

  async function whyNot(): Promise<string | undefined> {
    const { heldAt, reason, moved, turned, here } = await findHome(sql);
    if (heldAt !== null) return reason ?? 'held';
    const { lost, newest } = await remember(sql, [...(known ?? []), ...(last === undefined ? [] : [last])]);
    if (moved || lost) {
      const why = moved ? copied : wentBack;
      await hold(sql, why);
      return why;
    }
    if (turned && known === undefined) return recovered;
    if (turned) await settleHere(sql, here);
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
    askAgain() {
      askedAt = Number.NEGATIVE_INFINITY;
    },
    began(attempt) {
      last = attempt;
    },
  };
}
