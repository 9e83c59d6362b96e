import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { attachments, blobs, messages, tickets, uploads, users } from '../../src/db/tables.ts';
import type { BlobStore, StoredBlob } from '../../src/storage/blob-store.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type StoreWorld, storeWorlds } from './stores.ts';

/** How many processes of a test may collect at once. */
export const collectors = 4;

export const hours = (n: number): Date => new Date(Date.now() - n * 3_600_000);

/** A desk with one message, and a store for its files. */
export interface DeskFiles extends AsyncDisposable {
  readonly world: TestDatabase;
  readonly place: StoreWorld;
  readonly store: BlobStore;
  readonly userId: number;
  readonly messageId: number;
  /** A blob that was put some hours ago, with its row unless said. */
  blobOf(hoursAgo: number, options?: { row?: boolean }): Promise<StoredBlob>;
  attach(blob: StoredBlob, position?: number): Promise<unknown>;
  upload(blob: StoredBlob, createdAt: Date): Promise<unknown>;
}

/**
 * @param database an empty one, which is not disposed of; else one of its own
 */
export async function createDeskFiles(kind: string, database?: TestDatabase): Promise<DeskFiles> {
  await using parts = new AsyncDisposableStack();
  const place = parts.use(await storeWorlds[kind]!());
  const world = database ?? parts.use(await createTestDatabase('empty', collectors));
  const { store } = place;
  const { desk } = world.database;
  const [user] = await desk
    .insert(users)
    .values({ login: 'jane', name: 'Jane', role: 'REQUESTER' })
    .returning();
  const userId = user!.id;
  const [ticket] = await desk
    .insert(tickets)
    .values({ reference: 'INC-1', subject: 'S', requesterId: userId })
    .returning();
  const message = { ticketId: ticket!.id, authorId: userId, body: 'B', isMobileDevice: false };
  const [row] = await desk
    .insert(messages)
    .values({ ...message, format: 'TEXT', visibility: 'PUBLIC' })
    .returning();
  const messageId = row!.id;
  const held = parts.move();
  return {
    world,
    place,
    store,
    userId,
    messageId,
    async blobOf(hoursAgo, { row = true } = {}) {
      const blob = await store.put(Readable.from([Buffer.from('bytes')]), 100);
      await place.age(blob.key, hours(hoursAgo));
      const { key, byteSize, sha256 } = blob;
      if (row) await desk.insert(blobs).values({ key, byteSize, sha256, createdAt: hours(hoursAgo) });
      return blob;
    },
    attach: ({ key, byteSize, sha256 }, position = 1) =>
      desk.insert(attachments).values({
        ...{ messageId, position, blobKey: key, byteSize, sha256 },
        ...{ fileName: 'f', contentType: 'text/plain' },
      }),
    upload: ({ key }, createdAt) =>
      desk.insert(uploads).values({
        ...{ id: randomUUID(), userId, blobKey: key, createdAt },
        ...{ fileName: 'f', contentType: 'text/plain' },
      }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
