import { sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { users } from '../db/tables.ts';
import { costOf, costOfNewHash, decoyLike } from './passwords.ts';
import { currentParameters, type ScryptParameters } from './scrypt.ts';

/** How long the result is cached; an import is noticed after that. */
const keepMs = 10 * 60_000;

/**
 * Creates a function that finds the password hash of an enabled user that is the most expensive to check, so
 * that a wrong password can cost as much for everybody. Hashes of scrypt, bcrypt and ASP.NET count, cheaper
 * ones than new hashes too, but not those that cost exactly as much as a new one. The function resolves to a
 * hash of the same format and cost that no password matches, and to undefined when no hash counts. It rejects
 * with the database's error. The result is cached for ten minutes of the clock `now`; an error is not cached.
 * @param cost the parameters of new hashes
 */
export function createCostliestHash(
  db: Db,
  now: () => Date,
  cost: ScryptParameters = currentParameters,
): () => Promise<string | undefined> {
  let known: { readonly at: number; readonly hash: Promise<string | undefined> } | undefined;
  return () => {
    const at = now().getTime();
    if (known === undefined || Math.abs(at - known.at) >= keepMs) {
      const hash = findCostliestHash(db, costOfNewHash(cost));
      const query = { at, hash };
      known = query;
      hash.catch(() => {
        if (known === query) known = undefined;
      });
    }
    return known.hash;
  };
}

/**
 * Cheaper ones than new hashes count too: a wrong password for one costs it besides a new one. A hash's
 * prefix determines its cost, and there are few prefixes; all hashes of ASP.NET's second version cost the
 * same.
 */
async function findCostliestHash(db: Db, costOfNewHashes: number): Promise<string | undefined> {
  const hash = users.passwordHash;
  const forms = await db
    .select({ sample: sql<string>`min(${hash})` })
    .from(users)
    .where(sql`${hash} is not null and ${users.disabledAt} is null`)
    .groupBy(
      sql`case when ${hash} like 'scrypt$%' then split_part(${hash}, '$', 2)
        when ${hash} like '$2%' then left(${hash}, 7)
        when ${hash} like 'AQ%' then left(${hash}, 12) else '' end`,
    );
  let costliest: string | undefined;
  let most = 0;
  for (const { sample } of forms) {
    const cost = costOf(sample);
    if (cost > most && cost !== costOfNewHashes) [most, costliest] = [cost, sample];
  }
  return costliest === undefined ? undefined : decoyLike(costliest);
}
