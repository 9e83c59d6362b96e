import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { startGatewayProcess } from '../../crash/support/gateway-process.ts';
import { openTcpDoor } from '../../crash/support/tcp-door.ts';
import { createTestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { asOperator } from '../../support/gateway.ts';

/** Bytes of the only file whose upload is not finished. */
async function arrivedIn(blobs: string): Promise<number> {
  const names = await readdir(join(blobs, 'arriving')).catch(() => []);
  return names[0] === undefined ? 0 : (await stat(join(blobs, 'arriving', names[0]))).size;
}

test('an upload resumes at the next gateway after a kill, from what is on disk', async () => {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await createTestDatabase('demo'));
  const door = parts.use(await openTcpDoor(database.connection));
  const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const blobs = join(directory, 'blobs');
  const env = {
    DATABASE_URL: door.urlOf(database.connection),
    DATABASE_OWNER_URL: door.urlOf(database.ownerConnection),
    SMTP_URL: 'smtp://127.0.0.1:9',
    BLOBS_URL: pathToFileURL(blobs).href,
  };
  const bytes = randomBytes(4_000_000);
  const authorization = asOperator;
  const first = parts.use(await startGatewayProcess(env));
  const begun = await fetch(`${first.url}/uploads`, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'x/y',
      'upload-complete': '?0',
      'upload-length': String(bytes.length),
    },
  });
  const { pathname } = new URL(begun.headers.get('location')!);
  const req = request(first.url + pathname, {
    method: 'PATCH',
    headers: {
      authorization,
      'content-type': 'application/partial-upload',
      'upload-offset': '0',
      'upload-complete': '?1',
      'content-length': bytes.length,
    },
  });
  req.on('error', () => {});
  req.write(bytes.subarray(0, 3_000_000));
  await eventually(async () => (await arrivedIn(blobs)) > 0);
  await first.kill();

  const second = parts.use(await startGatewayProcess(env));
  const head = await fetch(second.url + pathname, { method: 'HEAD', headers: { authorization } });
  const offset = Number(head.headers.get('upload-offset'));
  expect([head.status, head.headers.get('upload-complete')]).toEqual([204, '?0']);
  expect(offset).toBe(await arrivedIn(blobs));
  expect(offset).toBeGreaterThan(0);
  expect(offset).toBeLessThanOrEqual(3_000_000);
  const last = await fetch(second.url + pathname, {
    method: 'PATCH',
    headers: {
      authorization,
      'content-type': 'application/partial-upload',
      'upload-offset': String(offset),
      'upload-complete': '?1',
    },
    body: new Uint8Array(bytes.subarray(offset)),
  });
  expect(last.status).toBe(201);
  expect(await last.json()).toMatchObject({
    byteSize: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  });
});
