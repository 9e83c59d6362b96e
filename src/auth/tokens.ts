import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import type { Db, Tx } from '../db/database.ts';
import { apiTokens, users } from '../db/tables.ts';
import { createBatcher } from '../platform/batcher.ts';
import type { Scope } from '../platform/request-context.ts';
import { tokenPrefix } from './authorization-header.ts';
import { type Account, accountColumns, lookupBatch } from './find-account.ts';

/**
 * `tw_`, 160 random bits and a checksum, in hexadecimal: other texts cost no query, and secret scanners can
 * find a leaked token.
 */
function newToken(): string {
  const secret = randomBytes(20).toString('hex');
  return `${tokenPrefix}${secret}${checksum(secret)}`;
}

/** Whether a text has the form and the checksum of an API token. No query is made. */
export function isWellFormedToken(token: string): boolean {
  const [, secret = '', check] = /^tw_([0-9a-f]{40})([0-9a-f]{8})$/.exec(token) ?? [];
  return check !== undefined && check === checksum(secret);
}

const checksum = (secret: string) => crc32(secret).toString(16).padStart(8, '0');
/** A random secret needs neither a salt nor a slow hash. */
const digest = (token: string) => createHash('sha256').update(token).digest();

/** An API token to create. */
export interface NewToken {
  readonly userId: number;
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Absent: the token never expires. */
  readonly expiresAt?: Date | undefined;
}

/**
 * Creates an API token. Only its digest is stored. No audit entry is written.
 * @returns its id, and the token itself, which cannot be read again
 * @throws the database's error when there is no such user
 */
export async function createToken(db: Db | Tx, input: NewToken): Promise<{ id: number; token: string }> {
  const token = newToken();
  const [row] = await db
    .insert(apiTokens)
    .values({
      userId: input.userId,
      name: input.name,
      scopes: [...new Set(input.scopes)],
      tokenHash: digest(token),
      expiresAt: input.expiresAt ?? null,
    })
    .returning({ id: apiTokens.id });
  return { id: row!.id, token };
}

/**
 * Revokes a token. This takes effect within 30 s in every process. No audit entry is written.
 * @returns whether the token existed and was not revoked yet
 */
export async function revokeToken(db: Db | Tx, id: number): Promise<boolean> {
  const rows = await db
    .update(apiTokens)
    .set({ revokedAt: sql`now()` })
    .where(and(eq(apiTokens.id, id), isNull(apiTokens.revokedAt)))
    .returning({ id: apiTokens.id });
  return rows.length > 0;
}

/**
 * Lists tokens in the order of their ids, including revoked and expired ones.
 * @param userId absent: tokens of all users
 * @returns of each token its id, its user's login, its name and scopes, and when it was created, expires and
 *   was revoked (null: never); not the token itself
 */
export function listTokens(db: Db | Tx, userId?: number) {
  return db
    .select({
      id: apiTokens.id,
      login: users.login,
      name: apiTokens.name,
      scopes: apiTokens.scopes,
      createdAt: apiTokens.createdAt,
      expiresAt: apiTokens.expiresAt,
      revokedAt: apiTokens.revokedAt,
    })
    .from(apiTokens)
    .innerJoin(users, eq(users.id, apiTokens.userId))
    .where(userId === undefined ? undefined : eq(apiTokens.userId, userId))
    .orderBy(asc(apiTokens.id));
}

/** A stored token and its user. The token may be expired or revoked, and the user disabled. */
export interface FoundToken {
  readonly account: Account;
  readonly scopes: ReadonlySet<Scope>;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/**
 * Prepares the lookup of a token, including revoked and expired ones. Tokens that are looked up together
 * share a statement: after a quiet time, an event makes all its watchers' credentials due at once.
 * @returns a function that resolves to undefined for an unknown token
 */
export function prepareFindToken(db: Db): (token: string) => Promise<FoundToken | undefined> {
  const query = db
    .select({
      hash: apiTokens.tokenHash,
      scopes: apiTokens.scopes,
      expiresAt: apiTokens.expiresAt,
      revokedAt: apiTokens.revokedAt,
      account: accountColumns,
    })
    .from(apiTokens)
    .innerJoin(users, eq(users.id, apiTokens.userId))
    .where(
      sql`${apiTokens.tokenHash} = any (array(
        select decode(hash, 'hex') from unnest(${sql.placeholder('hashes')}::text[]) hash))`,
    )
    .prepare('accounts_by_tokens');
  const find = createBatcher<Buffer, FoundToken | undefined>(async (hashes) => {
    const rows = await query.execute({ hashes: hashes.map((hash) => hash.toString('hex')) });
    const found = new Map(rows.map((row) => [row.hash.toString('hex'), row]));
    return hashes.map((hash) => {
      const row = found.get(hash.toString('hex'));
      if (row === undefined || !timingSafeEqual(row.hash, hash)) return undefined;
      return { ...row, scopes: new Set(row.scopes) };
    });
  }, lookupBatch);
  return (token) => find(digest(token));
}
