import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { startSmtpSink } from '../support/smtp-sink.ts';
import { fillDesk, inState, memoryBlobs, queueMail, startWorker, until } from './world/desk.ts';

test('a queued mail is sent once: blind copies in the envelope only, each step written down', async () => {
  await using world = await createTestDatabase();
  await using sink = await startSmtpSink();
  const sql = world.database.raw;
  await fillDesk(sql);
  const blobs = memoryBlobs();
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
  const id = await queueMail(sql, blobs, {
    cc: ['second@domain.com'],
    bcc: ['hidden@domain.com'],
    files: [{ fileName: 'a.bin', contentType: 'application/x-a', bytes }],
  });
  await using _worker = startWorker({ sql, blobs, smtpUrl: sink.url });
  const view = await until(sql, id, inState('SENT'), 1000);
  expect(sink.mails).toHaveLength(1);
  expect(sink.mails[0]!.to).toEqual(['jane.doe@domain.com', 'second@domain.com', 'hidden@domain.com']);
  expect(sink.mails[0]!.source.toString('latin1')).not.toMatch(/hidden|bcc/i);
  expect(view.recipients.map(({ state }) => state)).toEqual(['SENT', 'SENT', 'SENT']);
  expect(view.log).toMatchObject([{ number: 1, phase: 'SETTLED', outcome: 'SENT' }]);
  expect(view.events).toEqual(['DELIVERY_SENT']);
});
