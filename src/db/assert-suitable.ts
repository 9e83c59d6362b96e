import type postgres from 'postgres';

/**
 * What row-level security lets a connection see. `DESK` (internal work) and `OPERATOR` see everything.
 * Without either, a connection sees nothing until a requester's id is set.
 */
export type Sight = 'DESK' | 'OPERATOR' | '';

/** The database, or the connection to it, does not meet a requirement. The message says what to change. */
export class Unsuitable extends Error {
  override readonly name = 'Unsuitable';
}

const oldestVersion = 15;

/**
 * Checks that a server can be used.
 * @throws Unsuitable for a server that is too old, or a database that cannot hold every text
 */
export async function assertServer(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ version: string; number: number; encoding: string }[]>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      current_setting('server_encoding') as encoding`;
  if (row!.number < oldestVersion * 10_000)
    throw new Unsuitable(`the server is PostgreSQL ${row!.version}; ${oldestVersion} or newer is needed`);
  if (row!.encoding !== 'UTF8')
    throw new Unsuitable(
      `the database's encoding is ${row!.encoding}, which cannot hold every text; ` +
        "create it with ENCODING 'UTF8'",
    );
}

/**
 * Checks that a login may act as a role, as the migration asks it.
 * @returns the login
 * @throws Unsuitable when it may not, or there is no such role
 */
export async function assertMember(sql: postgres.Sql, role: string): Promise<string> {
  const [row] = await sql<{ login: string; member: boolean | null }[]>`
    select session_user as login, (
      select pg_has_role(session_user, oid,
        case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end)
      from pg_roles where rolname = ${role}
    ) as member`;
  const { login, member } = row!;
  if (member) return login;
  const missing = member === null ? `there is no role ${role} yet: CREATE ROLE ${role} NOLOGIN, and ` : '';
  throw new Unsuitable(`${missing}the login may not act as ${role}: GRANT ${role} TO ${login}`);
}

/**
 * Checks that transactions can write.
 * @throws Unsuitable on a standby, and where a setting makes transactions read-only
 */
export async function assertWritable(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ standby: boolean; readOnly: boolean }[]>`
    select pg_is_in_recovery() as standby, current_setting('transaction_read_only')::bool as "readOnly"`;
  if (row!.standby)
    throw new Unsuitable('the server is a standby, on which nothing can be written: use the primary');
  if (row!.readOnly)
    throw new Unsuitable(
      'transactions are read-only, as default_transaction_read_only is on for the server, database or login',
    );
}

/**
 * Checks what a connection sees.
 * @throws Unsuitable when its role could bypass row-level security, or does not see what it should
 */
export async function assertSight(sql: postgres.Sql, sight: Sight): Promise<void> {
  const [row] = await sql<{ role: string; free: boolean; owner: boolean; sight: string; sees: boolean }[]>`
    select current_user as role, rolsuper or rolbypassrls as free,
      exists (
        select from pg_tables
        where schemaname = 'public' and tablename = 'messages' and tableowner = current_user
      ) as owner,
      coalesce(current_setting('ticketwire.viewer_role', true), '') as sight, sees_everything() as sees
    from pg_roles where rolname = current_user`;
  if (!row || row.free || row.owner)
    throw new Unsuitable(
      `the role ${row?.role} could bypass row-level security; ` +
        'a pooler that drops the parameter "role" has the same effect',
    );
  if (row.sight !== sight || row.sees !== (sight !== ''))
    throw new Unsuitable(
      'the parameter "ticketwire.viewer_role" does not reach the server, because a pooler drops it; ' +
        'connect to PostgreSQL directly',
    );
}
