import { randomUUID } from 'node:crypto';
import { asc, desc, gte, lt, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { blobStores, blobs as blobsTable } from '../db/tables.ts';
import { type BlobStore, everyKey, newBlobKey, type StoreIdentity } from './blob-store.ts';

/** Rows whose blobs are looked for before a store without an identity is taken for the database's own. */
const sampleSize = 200;

/**
 * Whether the store is this database's own. A store and a database that have no identity yet, as every desk
 * of before has them, become each other's when all is as it would be: the rows find their blobs, or there is
 * neither.
 * @param look only: nothing is written down
 * @returns why it is not, for people; undefined when it is
 */
export async function foreignness(db: Db, store: BlobStore, look = false): Promise<string | undefined> {
  let its = await store.identity();
  if (its === undefined) {
    const unlike = await unlikeness(db, store);
    // Whoever puts something there has said before whose it is: another process of ours may have, while we
    // looked.
    its = await store.identity();
    if (its === undefined) {
      if (unlike !== undefined || look) return unlike;
      await store.setIdentity((await findMine(db)) ?? (await insertMine(db, randomUUID())));
      its = await store.identity();
    }
  }
  if (its === undefined || its === 'unreadable') return 'the identity of the blob store cannot be read';
  const mine = await findMine(db);
  if (mine === undefined) return 'the blob store belongs to a database, and this one has never met it';
  if (mine.id !== its.id) return 'the blob store belongs to another database';
  return its.generation > mine.generation
    ? 'the blob store has seen later collections than the database: an older state of the database was restored'
    : undefined;
}

/**
 * Writes down in both that there was one more collection: the database first, so that it is never behind by
 * itself.
 */
export async function countCollection(db: Db, store: BlobStore): Promise<void> {
  const [mine] = await db
    .update(blobStores)
    .set({ generation: sql`${blobStores.generation} + 1` })
    .returning({ id: blobStores.id, generation: blobStores.generation });
  if (mine === undefined) throw new Error('the database no longer knows its blob store');
  await store.setIdentity(mine);
}

/**
 * Makes the store this database's own, whatever it was: whoever says so has looked. Another database that had
 * it has it no longer.
 */
export async function adopt(db: Db, store: BlobStore): Promise<void> {
  const its = await store.identity();
  const seen = typeof its === 'object' ? its.generation : 0;
  const mine = { id: randomUUID(), generation: Math.max((await findMine(db))?.generation ?? 0, seen) };
  await db.insert(blobStores).values(mine).onConflictDoUpdate({ target: blobStores.only, set: mine });
  await store.setIdentity(mine);
}

async function findMine(db: Db): Promise<StoreIdentity | undefined> {
  const [mine] = await db.select({ id: blobStores.id, generation: blobStores.generation }).from(blobStores);
  return mine;
}

/** Processes that start together agree on the first one's. */
async function insertMine(db: Db, id: string): Promise<StoreIdentity> {
  await db.insert(blobStores).values({ id }).onConflictDoNothing();
  const mine = await findMine(db);
  if (mine === undefined) throw new Error('the identity of the blob store cannot be written down');
  return mine;
}

async function unlikeness(db: Db, store: BlobStore): Promise<string | undefined> {
  const rows = await sampleRows(db);
  if (rows.length === 0) {
    for await (const _blob of store.list(everyKey))
      return 'the blob store holds files, and the database knows of none';
    for await (const _aside of store.listAside())
      return 'the blob store holds files, and the database knows of none';
    return undefined;
  }
  let missing = 0;
  for (const { key, byteSize } of rows) if ((await store.byteSizeOf(key)) !== byteSize) missing += 1;
  return missing === 0
    ? undefined
    : `the blob store has no identity, and ${missing} of ${rows.length} files that the database knows are not in it`;
}

/**
 * Keys are random: those on both sides of a random one are a fair sample, and cost a few pages of the index.
 */
async function sampleRows(db: Db): Promise<{ key: string; byteSize: number }[]> {
  const somewhere = newBlobKey();
  const columns = { key: blobsTable.key, byteSize: blobsTable.byteSize };
  const side = sampleSize / 2;
  const [below, above] = await Promise.all([
    db
      .select(columns)
      .from(blobsTable)
      .where(lt(blobsTable.key, somewhere))
      .orderBy(desc(blobsTable.key))
      .limit(side),
    db
      .select(columns)
      .from(blobsTable)
      .where(gte(blobsTable.key, somewhere))
      .orderBy(asc(blobsTable.key))
      .limit(side),
  ]);
  return [...below, ...above];
}
