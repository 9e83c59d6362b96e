import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';
import { startS3Server } from '../../support/servers/s3-server.ts';

const bytes = randomBytes(100_000);
const parts = new AsyncDisposableStack();
const gateways: Record<string, Gateway> = {};
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'secret' });
  const server = parts.use(await startS3Server());
  const BLOBS_URL = `s3://desk/files?endpoint=${encodeURIComponent(server.endpoint)}&region=eu-central-1`;
  gateways.disk = parts.use(await startGateway({ env: { ROLES: 'web' } }));
  gateways.S3 = parts.use(await startGateway({ env: { ROLES: 'web', BLOBS_URL } }));
});
afterAll(() => parts.disposeAsync());

const append = (place: string, offset: number, body: Uint8Array) =>
  fetch(place, {
    method: 'PATCH',
    headers: {
      authorization: asOperator,
      'content-type': 'application/partial-upload',
      'upload-offset': String(offset),
      'upload-complete': '?1',
    },
    body: new Uint8Array(body),
  });

/** Begins an upload, and cancels the statement that would record it as complete. */
async function failToRecord({ url, sql }: Gateway): Promise<{ place: string; status: number }> {
  const headers = { authorization: asOperator, 'content-type': 'x/y', 'upload-complete': '?0' };
  const first = await fetch(`${url}/uploads`, { method: 'POST', headers, body: bytes.subarray(0, 1000) });
  const place = first.headers.get('location')!;
  const status = await sql.begin(async (tx) => {
    await tx`lock table uploads in share mode`;
    const last = append(place, 1000, bytes.subarray(1000));
    await eventually(async () => {
      const ended = await sql`select pg_cancel_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock'`;
      return ended.length > 0;
    });
    return (await last).status;
  });
  return { place, status };
}

test.each(['disk', 'S3'])(
  'an upload on %s that could not be recorded is complete by a repetition',
  async (where) => {
    const { place, status } = await failToRecord(gateways[where]!);
    expect(status).toBe(503);
    const state = await fetch(place, { method: 'HEAD', headers: { authorization: asOperator } });
    expect([state.status, state.headers.get('upload-offset')]).toEqual([204, '100000']);
    const wrong = await append(place, 1000, bytes.subarray(1000));
    expect([wrong.status, wrong.headers.get('upload-offset')]).toEqual([409, '100000']);
    const answer = await append(place, 100_000, new Uint8Array());
    expect(answer.status).toBe(201);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    expect(await answer.json()).toMatchObject({ byteSize: 100_000, sha256 });
  },
);

test('an upload that could not be recorded can be cancelled', async () => {
  const { place } = await failToRecord(gateways.disk!);
  const ask = (method: string) => fetch(place, { method, headers: { authorization: asOperator } });
  expect((await ask('DELETE')).status).toBe(204);
  expect((await ask('HEAD')).status).toBe(404);
});
