import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { users } from '../db/tables.ts';
import { createBatcher } from '../platform/batcher.ts';
import { scopes as allScopes, type Role, type Scope, type Viewer } from '../platform/request-context.ts';
import { asciiFold } from './ascii-fold.ts';

const everyScope: ReadonlySet<Scope> = new Set(allScopes);
/** Scopes of each role, whatever the credential says: mail and administration are for operators. */
const scopesOfRole: Record<Role, ReadonlySet<Scope>> = {
  OPERATOR: everyScope,
  REQUESTER: new Set<Scope>(['read', 'write']),
};

/** The columns of `users` that signing in needs. */
export interface Account {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  /** Null: the user has no password. */
  readonly passwordHash: string | null;
  /** Null: the user is enabled. */
  readonly disabledAt: Date | null;
}
/** The columns of {@link Account}, for a select. */
export const accountColumns = {
  id: users.id,
  login: users.login,
  name: users.name,
  role: users.role,
  passwordHash: users.passwordHash,
  disabledAt: users.disabledAt,
};

/**
 * Makes the viewer of a request, with the scopes that both the credential and the role allow: an operator may
 * have all, a requester `read` and `write`. It does not check whether the user is disabled.
 * @param granted the credential's scopes; absent: all scopes of the role
 */
export function viewerOf(
  account: Omit<Account, 'passwordHash'>,
  granted: ReadonlySet<Scope> = everyScope,
): Viewer {
  return Object.freeze({
    userId: account.id,
    login: account.login,
    name: account.name,
    role: account.role,
    scopes: new Set([...scopesOfRole[account.role]].filter((scope) => granted.has(scope))),
  });
}

/** Most credentials that one statement looks up, and most such statements at a time. */
export const lookupBatch = { maxItems: 1000, atOnce: 4 };

/**
 * Prepares the lookup of a user by login. It ignores case as PostgreSQL's `lower` does, and finds disabled
 * users as well. Logins that are looked up together share a statement.
 * @returns a function that resolves to undefined for an unknown login
 */
export function prepareFindByLogin(db: Db): (login: string) => Promise<Account | undefined> {
  const query = db
    .select({ place: sql<number>`asked.place::int`, account: accountColumns })
    .from(sql`unnest(${sql.placeholder('logins')}::text[]) with ordinality as asked (login, place)`)
    .innerJoin(users, sql`lower(${users.login}) = lower(asked.login)`)
    .prepare('accounts_by_logins');
  return createBatcher<string, Account | undefined>(async (logins) => {
    const rows = await query.execute({ logins: [...logins] });
    const found = new Map(rows.map(({ place, account }) => [place, account]));
    return logins.map((_, n) => found.get(n + 1));
  }, lookupBatch);
}

/**
 * Finds the enabled users with this e-mail address, ignoring the case of A to Z only.
 * @returns at most two: enough to tell that the address is ambiguous
 */
export function findEnabledByEmail(db: Db, address: string): Promise<Account[]> {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  return db
    .select(accountColumns)
    .from(users)
    .where(
      and(
        // Uses the index first, which folds more letters.
        sql`lower(${users.email}) = lower(${address})`,
        sql`translate(${users.email}, ${letters}, ${letters.toLowerCase()}) = ${asciiFold(address)}`,
        isNull(users.disabledAt),
      ),
    )
    .limit(2);
}

/**
 * Prepares the lookup of a viewer by the user's id, with the role that the user has now.
 * @param granted the scopes that the viewer gets, except those that the role does not allow
 * @returns a function that resolves to undefined for an unknown or disabled user
 */
export function prepareFindById(
  db: Db,
  granted: ReadonlySet<Scope>,
): (userId: number) => Promise<Viewer | undefined> {
  const query = db
    .select(accountColumns)
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('account_by_id');
  return async (id) => {
    const [account] = await query.execute({ id });
    return account === undefined || account.disabledAt !== null ? undefined : viewerOf(account, granted);
  };
}
