import { and, eq, isNull, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { users } from '../db/tables.ts';
import { scopes as allScopes, type Role, type Scope, type Viewer } from '../platform/request-context.ts';
import { asciiFold } from './ascii-fold.ts';

const everyScope: ReadonlySet<Scope> = new Set(allScopes);
/**
 * What a person may do at most, whatever credential they show: mail and administration are the operators'.
 */
const scopesOfRole: Record<Role, ReadonlySet<Scope>> = {
  OPERATOR: everyScope,
  REQUESTER: new Set<Scope>(['read', 'write']),
};

/** A row of `users`, as far as signing in needs it. */
export interface Account {
  readonly id: number;
  readonly login: string;
  readonly name: string;
  readonly role: Role;
  readonly passwordHash: string | null;
  readonly disabledAt: Date | null;
}
export const accountColumns = {
  id: users.id,
  login: users.login,
  name: users.name,
  role: users.role,
  passwordHash: users.passwordHash,
  disabledAt: users.disabledAt,
};

/** @param granted what the credential allows; absent: everything that the role does. */
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

/** Looks a user up by login, compared without case; disabled ones too. */
export function prepareFindByLogin(db: Db): (login: string) => Promise<Account | undefined> {
  const query = db
    .select(accountColumns)
    .from(users)
    .where(sql`lower(${users.login}) = lower(${sql.placeholder('login')})`)
    .prepare('account_by_login');
  return async (login) => (await query.execute({ login }))[0];
}

/** Enabled users with this address, A to Z compared without case and all else as it is; two at most. */
export function findEnabledByEmail(db: Db, address: string): Promise<Account[]> {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
  return db
    .select(accountColumns)
    .from(users)
    .where(
      and(
        // By the index first, which folds more.
        sql`lower(${users.email}) = lower(${address})`,
        sql`translate(${users.email}, ${letters}, ${letters.toLowerCase()}) = ${asciiFold(address)}`,
        isNull(users.disabledAt),
      ),
    )
    .limit(2);
}

/**
 * Who a user is now, for what is done in their name with these scopes alone; undefined: nobody, or disabled.
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
