import type postgres from 'postgres';

/** A place in the write-ahead log of a database cluster. */
export interface LogPosition {
  /** The system identifier, which a cluster shares with its replicas. */
  readonly cluster: string;
  /** It increases by one when a replica is promoted. */
  readonly timeline: number;
  /** Bytes from the beginning of the log. */
  readonly bytes: number;
  /**
   * By `performance.now()`: for the primary, when the query was sent; for a replica, when its answer arrived.
   */
  readonly at: number;
}

type PositionRow = Omit<LogPosition, 'at'>;

/**
 * Queries where the primary's log ends. Every commit that is visible now lies before it.
 * @throws an error of the driver, also when the server is a replica
 */
export async function primaryPosition(sql: postgres.Sql): Promise<LogPosition> {
  const at = performance.now();
  const [row] = await sql<[PositionRow]>`
    select (select system_identifier::text from pg_control_system()) as cluster,
      ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int as timeline,
      (pg_current_wal_insert_lsn() - '0/0')::float8 as bytes`;
  return { ...row, at };
}

/**
 * Queries how far a replica has replayed the log. Every commit before that position is visible on the
 * replica.
 * @returns undefined when the server is not a replica, or no longer
 * @throws an error of the driver
 */
export async function replicaPosition(sql: postgres.Sql): Promise<LogPosition | undefined> {
  const [row] = await sql<[PositionRow & { readonly isReplica: boolean }]>`
    select pg_is_in_recovery() as "isReplica",
      (select system_identifier::text from pg_control_system()) as cluster,
      (select timeline_id from pg_control_checkpoint()) as timeline,
      coalesce((pg_last_wal_replay_lsn() - '0/0')::float8, 0) as bytes`;
  const { isReplica, ...position } = row;
  return isReplica ? { ...position, at: performance.now() } : undefined;
}

/**
 * Whether a replica at `replayed` has every commit that anybody could see when the primary was at `end`.
 * False if both are not in the same log, or the replica was ahead of the primary (`isAhead`).
 */
export const covers = (replayed: LogPosition, end: LogPosition): boolean =>
  isSameLog(replayed, end) && replayed.bytes >= end.bytes && !isAhead(replayed, end);

/** Whether both positions are in the same timeline of the same cluster. */
export const isSameLog = (a: LogPosition, b: LogPosition): boolean =>
  a.cluster === b.cluster && a.timeline === b.timeline;

/**
 * Whether a replica had replayed more of the log than the primary had written later on. If so, the replica
 * follows another server, or this primary was replaced.
 */
export const isAhead = (replayed: LogPosition, end: LogPosition): boolean =>
  replayed.at <= end.at && replayed.bytes > end.bytes;
