import { expect, test } from 'vitest';
import { openS3 } from '../storage/stores.ts';
import { shareDatabase } from '../support/database.ts';
import { inState, until } from './world/desk.ts';
import { createWorld } from './world/world.ts';

/* Mails whose files the store does not hand out, or not to their end. */

const database = shareDatabase();

const file = { fileName: 'a.txt', contentType: 'text/plain', bytes: Buffer.alloc(200_000, 'file') };
const states = async (world: Awaited<ReturnType<typeof createWorld>>) =>
  (
    await world.sql<{ state: string; n: number }[]>`
      select state, count(*)::int as n from deliveries group by state order by state`
  ).map(({ state, n }) => `${n} ${state}`);

test('mails that wait for their files hold up no other mail of their mailbox, and no shutdown', async () => {
  await using s3 = await openS3();
  await using world = await createWorld(database());
  s3.server!.fail('GetObject', 'hang');
  // A long text comes before the file, and says nothing about the store.
  for (let n = 1; n <= 4; n += 1)
    await world.queue({ ticketId: n, body: 'text '.repeat(20_000), files: [file] });
  const worker = world.work({ blobs: s3.store, connections: 2 });
  await expect.poll(() => s3.server!.calls.filter((call) => call === 'GetObject').length).toBeGreaterThan(0);
  const plain = await world.queue({ ticketId: 5 });
  await until(world.sql, plain, inState('SENT'));
  expect(await states(world)).toEqual(['1 SENT', '4 TRANSMITTING']);
  await worker[Symbol.asyncDispose]();
  expect(await states(world)).toEqual(['4 QUEUED', '1 SENT']);
});

test('a mail whose file cannot be read, or breaks off, waits and says why, and is sent once', async () => {
  await using s3 = await openS3();
  await using world = await createWorld(database());
  s3.server!.fail('GetObject', 500);
  const id = await world.queue({ files: [file] });
  world.work({ blobs: s3.store });
  const view = await until(world.sql, id, inState('DEFERRED'));
  expect(view.recipients.map(({ reply }) => reply)).toEqual([
    expect.stringMatching('An attachment could not be read'),
  ]);
  const [blob] = await world.sql`select key from blobs`;
  s3.server!.bucket.put(`files/blobs/${blob!.key}`, file.bytes.subarray(0, 150_000));
  s3.server!.mend();
  await world.sql`update deliveries set due_at = now()`;
  await expect.poll(async () => (await world.sql`select attempts from deliveries`)[0]!.attempts).toBe(2);
  await until(world.sql, id, inState('DEFERRED'));
  expect(world.sink.mails).toHaveLength(0);
  s3.server!.bucket.put(`files/blobs/${blob!.key}`, file.bytes);
  await world.sql`update deliveries set due_at = now()`;
  await until(world.sql, id, inState('SENT'));
  expect(world.sink.mails).toHaveLength(1);
});
