import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Db } from './database.ts';
import { deskKeys } from './tables.ts';

/**
 * Returns the desk's key of this name, 32 bytes. The first call creates it, from random bytes; every later
 * one, in whichever process, gets the same.
 */
export async function findDeskKey(db: Db, name: string): Promise<Buffer> {
  const find = () => db.select({ key: deskKeys.key }).from(deskKeys).where(eq(deskKeys.name, name));
  const [known] = await find();
  if (known !== undefined) return known.key;
  await db
    .insert(deskKeys)
    .values({ name, key: randomBytes(32) })
    .onConflictDoNothing();
  return (await find())[0]!.key;
}
