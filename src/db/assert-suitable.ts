import type postgres from 'postgres';
import type { Connection } from './driver/client.ts';
import { countSessions } from './driver/count-sessions.ts';

/**
 * What row-level security lets a connection see. `DESK` (internal work) and `OPERATOR` see everything.
 * Without either, a connection sees nothing until a requester's id is set.
 */
export type RowAccess = 'DESK' | 'OPERATOR' | '';

/**
 * The database, or the connection to it, does not meet a requirement. The message says what to change. Each
 * check here that throws it also passes on the driver's error when its statement fails.
 */
export class Unsuitable extends Error {
  override readonly name = 'Unsuitable';
}

const oldestVersion = 15;

/**
 * Checks that a server can be used.
 * @throws Unsuitable for a server older than PostgreSQL 15, or a database whose encoding is not UTF8, or
 *   whose locale has another lower case of a letter from A to Z
 */
export async function assertServer(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ version: string; number: number; encoding: string; lower: string }[]>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      current_setting('server_encoding') as encoding, lower('INC') as lower`;
  if (row!.number < oldestVersion * 10_000)
    throw new Unsuitable(`the server is PostgreSQL ${row!.version}; ${oldestVersion} or newer is needed`);
  if (row!.encoding !== 'UTF8')
    throw new Unsuitable(
      `the database's encoding is ${row!.encoding}, which cannot hold every text; ` +
        "create it with ENCODING 'UTF8'",
    );
  // In Turkish and Azerbaijani, I is the capital of ı.
  if (row!.lower !== 'inc')
    throw new Unsuitable(
      `in the database's locale, INC in lower case is ${row!.lower}, so references, logins and addresses ` +
        "would not be found by their lower case; create it with LOCALE 'C.UTF-8'",
    );
}

/**
 * Checks that the role as which the connection acts, its login unless SET ROLE was used, may create schemas
 * in its database, and tables in the schema `public` if there is one.
 * @throws Unsuitable when it may not; the message names the login
 */
export async function assertMayMigrate(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<[{ login: string; may: boolean }]>`
    select session_user as login, has_database_privilege(current_database(), 'CREATE')
      and coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), true) as may`;
  if (!row.may)
    throw new Unsuitable(
      `the login ${row.login} may not create tables in the database, which the next start has to do; ` +
        'DATABASE_OWNER_URL is for the login that owns it',
    );
}

/** The login of a connection. */
export interface Login {
  readonly login: string;
  /** Whether it could bypass row-level security: as a superuser, or by BYPASSRLS. */
  readonly isUnrestricted: boolean;
  /** How many connections it can have at the same time, other processes' included. */
  readonly connections: number;
  /** What limits them: `the server`, `the database` or `the login`. */
  readonly limitedBy: string;
}

/** Finds the login that signed in, whatever role the connection acts as, and what it is limited to. */
export async function findLogin(sql: postgres.Sql): Promise<Login> {
  const [row] = await sql<[Login]>`
    select r.rolname as login, r.rolsuper or r.rolbypassrls as "isUnrestricted", most.connections,
      most."limitedBy"
    from pg_roles r join pg_database d on d.datname = current_database() cross join lateral (values
      (current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0), 'the server'),
      (case when not r.rolsuper and d.datconnlimit >= 0 then d.datconnlimit end, 'the database'),
      (case when not r.rolsuper and r.rolconnlimit >= 0 then r.rolconnlimit end, 'the login')
    ) most (connections, "limitedBy")
    where r.rolname = session_user order by most.connections nulls last limit 1`;
  return row;
}

/**
 * Checks that the connection's login may act as a role (SET ROLE), using the same test as the migration.
 * @throws Unsuitable when it may not, or there is no such role
 */
export async function assertMember(sql: postgres.Sql, role: string): Promise<void> {
  const [row] = await sql<{ login: string; member: boolean | null }[]>`
    select session_user as login, (
      select pg_has_role(session_user, oid,
        case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)
      from pg_roles where rolname = ${role}
    ) as member`;
  const { login, member } = row!;
  if (member) return;
  const missing = member === null ? `there is no role ${role} yet: CREATE ROLE ${role} NOLOGIN, and ` : '';
  throw new Unsuitable(`${missing}the login may not act as ${role}: GRANT ${role} TO ${login}`);
}

/**
 * Checks that transactions can write, and that what they write is checked.
 * @throws Unsuitable on a standby, and where a setting makes transactions read-only, or turns off foreign
 *   keys and triggers
 */
export async function assertWritable(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ standby: boolean; readOnly: boolean; unchecked: boolean }[]>`
    select pg_is_in_recovery() as standby, current_setting('transaction_read_only')::bool as "readOnly",
      current_setting('session_replication_role') = 'replica' as unchecked`;
  if (row!.standby)
    throw new Unsuitable('the server is a standby, on which nothing can be written: use the primary');
  if (row!.readOnly)
    throw new Unsuitable(
      'transactions are read-only, as default_transaction_read_only is on for the server, database or login',
    );
  // Only a superuser may change it, so no connection of ours can.
  if (row!.unchecked)
    throw new Unsuitable(
      'foreign keys and triggers are off, as session_replication_role is replica for the server, database ' +
        'or login',
    );
}

/**
 * Checks that row-level security applies to a connection, and that the connection has this row access. Needs
 * the tables of this version.
 * @throws Unsuitable when its role could bypass row-level security, or the connection has another row access;
 *   the driver's error when the tables or functions are missing
 */
export async function assertRowAccess(sql: postgres.Sql, rowAccess: RowAccess): Promise<void> {
  const [row] = await sql<[{ role: string; restricted: boolean; rowAccess: string; sees: boolean }]>`
    select current_user as role, row_security_active('public.messages'::regclass) as restricted,
      coalesce(current_setting('ticketwire.viewer_role', true), '') as "rowAccess",
      sees_everything() as sees`;
  if (!row.restricted) throw new Unsuitable(`the role ${row.role} could bypass row-level security`);
  if (row.rowAccess !== rowAccess || row.sees !== (rowAccess !== ''))
    throw new Unsuitable('the parameter "ticketwire.viewer_role" of the connection is not set on the server');
}

/**
 * Finds out whether a pooler has enough sessions for a process, by opening up to `needed` connections, which
 * are closed again. With fewer sessions, statements wait when the desk is busiest.
 * @returns what to change; undefined when there are enough sessions, or there is no pooler
 * @throws Error (not Unsuitable) when a pooler shares sessions between connections, or the driver's error
 */
export async function shortageOfSessions(
  connection: Connection,
  needed: number,
): Promise<string | undefined> {
  const given = await countSessions(connection, needed);
  return given === undefined || given >= needed
    ? undefined
    : `the pooler gives this process ${given} of the ${needed} sessions that it may need: raise ` +
        'default_pool_size (or pool_size, max_db_connections, max_client_conn) in pgbouncer.ini, or lower ' +
        'DATABASE_POOL';
}
