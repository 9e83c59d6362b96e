import { randomBytes } from 'node:crypto';
import { eq } from 'drizzle-orm';
import type { Db } from './database.ts';
import { deskKeys } from './tables.ts';

/**
 * Returns one of the desk's keys, 32 bytes. The first process that needs it creates it; all others get the
 * same.
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
