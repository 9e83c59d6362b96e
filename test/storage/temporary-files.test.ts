import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { seedDemoDesk } from '../../src/demo.ts';
import { type GatewayProcess, startGatewayProcess } from '../crash/support/gateway-process.ts';
import { openTcpDoor } from '../crash/support/tcp-door.ts';
import { upload } from '../crash/support/upload.ts';
import { createTestDatabase } from '../support/database.ts';
import { asOperator } from '../support/gateway.ts';

test('what a killed process was taking in is removed once it is an hour old, and nothing else', async () => {
  await using world = await createTestDatabase();
  await seedDemoDesk(world.database.desk);
  await using door = await openTcpDoor(world.connection);
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
  const temporary = join(directory, 'tmp');
  await mkdir(temporary);
  const start = (): Promise<GatewayProcess> =>
    startGatewayProcess({
      DATABASE_URL: door.urlOf(world.connection),
      DATABASE_OWNER_URL: door.urlOf(world.ownerConnection),
      BLOBS_URL: pathToFileURL(join(directory, 'blobs')).href,
      SMTP_URL: 'smtp://127.0.0.1:9',
      TMPDIR: temporary,
    });
  try {
    await using killed = await start();
    const operations = {
      query: 'mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) { __typename } }',
      variables: { input: { ticket: { ticketId: 1 }, body: 'Never', attachments: [{ file: null }] } },
    };
    const files = [{ name: 'large', size: 20_000_000 }];
    const cut: Promise<unknown> = upload(killed.url, {
      operations,
      files,
      authorization: asOperator,
      bytesPerSecond: 4_000_000,
    });
    const taken = async () => (await readdir(temporary)).filter((name) => name.endsWith('.tmp'));
    await expect.poll(taken).toHaveLength(1);
    await killed.kill();
    await cut;
    const [forgotten] = await taken();
    const hoursAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(join(temporary, forgotten!), hoursAgo, hoursAgo);
    const young = `capacitor-${'0'.repeat(32)}.tmp`;
    for (const name of [young, 'somebody-elses.tmp']) await writeFile(join(temporary, name), '');
    await utimes(join(temporary, 'somebody-elses.tmp'), hoursAgo, hoursAgo);
    await using _next = await start();
    const left = async () => (await readdir(temporary)).filter((name) => name.endsWith('.tmp')).sort();
    await expect.poll(left).toEqual([young, 'somebody-elses.tmp']);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
