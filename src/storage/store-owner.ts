import { randomUUID } from 'node:crypto';
import { asc, desc, gte, lt, sql } from 'drizzle-orm';
import type { Db } from '../db/database.ts';
import { blobStores, blobs as blobsTable } from '../db/tables.ts';
import { type BlobStore, everyKey, newBlobKey, type StoreIdentity } from './blob-store.ts';

/** Rows whose blobs must exist before a store without an identity is claimed for the database. */
const sampleSize = 200;

/**
 * Finds out why the store must not be used with this database: another database owns it, its identity cannot
 * be read, this database has no record of it, or this database is an older backup than the store. A store
 * without an identity must not be used either if `claimStore` would not claim it. Writes nothing.
 * @returns the reason as text for the operator; undefined when the store may be used, or claimed
 * @throws the error of the database or the store
 */
export const whyStoreUnusable = (db: Db, store: BlobStore): Promise<string | undefined> =>
  ownStore(db, store, { claims: false });

/**
 * Claims a store without an identity for this database, if it has the blobs of a sample of up to 200 rows,
 * all in the sizes of their rows, or both are empty. A store with an identity is only checked.
 * @returns why the store must not be used, as `whyStoreUnusable` does; undefined when it belongs to this
 *   database
 * @throws the error of the database or the store
 */
export const claimStore = (db: Db, store: BlobStore): Promise<string | undefined> =>
  ownStore(db, store, { claims: true });

async function ownStore(
  db: Db,
  store: BlobStore,
  { claims }: { readonly claims: boolean },
): Promise<string | undefined> {
  let its = await store.identity();
  if (its === undefined) {
    const unlike = await whyNotClaimable(db, store);
    // Another of our processes may have written the identity, and then files, since we looked.
    its = await store.identity();
    if (its === undefined) {
      if (unlike !== undefined || !claims) return unlike;
      await store.setIdentity((await findMine(db)) ?? (await insertMine(db, randomUUID())));
      its = await store.identity();
    }
  }
  if (its === undefined || its === 'unreadable') return 'the identity of the blob store cannot be read';
  const mine = await findMine(db);
  if (mine === undefined)
    return 'the blob store already belongs to a database, and this one has no record of it';
  if (mine.id !== its.id) return 'the blob store belongs to another database';
  return its.generation > mine.generation
    ? 'the database is an older backup: the blob store has had garbage collections that it does not know of'
    : undefined;
}

/**
 * Adds one to the number of garbage collections (`generation`) in the database, and then writes it to the
 * store. In this order the database is never behind the store after a crash. Of several processes that do so
 * at once, one may be late and overwrite a higher number in the store: each writes until the database has no
 * higher one.
 * @throws Error when the database has no record of its store; the error of the store, after the number in the
 *   database has grown
 */
export async function countCollection(db: Db, store: BlobStore): Promise<void> {
  const [mine] = await db
    .update(blobStores)
    .set({ generation: sql`${blobStores.generation} + 1` })
    .returning({ id: blobStores.id, generation: blobStores.generation });
  if (mine === undefined) throw new Error('the database has lost the record of its blob store');
  for (let written = mine; ; ) {
    await store.setIdentity(written);
    const now = await findMine(db);
    if (now === undefined || now.id !== written.id || now.generation <= written.generation) return;
    written = now;
  }
}

/**
 * Claims the store for this database under a new identity, whichever database owned it: the operator has
 * checked. The previous owner loses it. Does not check whether the blobs of the rows exist.
 * @throws the error of the store. The database then has a new identity that the store may not have: to be
 *   called again
 */
export async function adoptStore(db: Db, store: BlobStore): Promise<void> {
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

/** Processes that start together use the identity of the first. */
async function insertMine(db: Db, id: string): Promise<StoreIdentity> {
  await db.insert(blobStores).values({ id }).onConflictDoNothing();
  const mine = await findMine(db);
  if (mine === undefined) throw new Error('the identity of the blob store cannot be recorded');
  return mine;
}

async function whyNotClaimable(db: Db, store: BlobStore): Promise<string | undefined> {
  const rows = await sampleRows(db);
  if (rows.length === 0) {
    for await (const _blob of store.list(everyKey))
      return 'the blob store has files, and the database refers to none';
    for await (const _aside of store.listAside())
      return 'the blob store has files, and the database refers to none';
    return undefined;
  }
  let missing = 0;
  for (const { key, byteSize } of rows) if ((await store.byteSizeOf(key)) !== byteSize) missing += 1;
  return missing === 0
    ? undefined
    : `the blob store has no identity, and ${missing} of ${rows.length} sampled files are missing or have ` +
        'another size';
}

/**
 * Samples rows on both sides of a random key. Keys are random, so this is a fair sample, and it costs a few
 * pages of the index.
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
