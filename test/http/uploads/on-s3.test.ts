import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../../support/gateway.ts';
import { startClamd } from '../../support/servers/clamd.ts';
import { startS3Server } from '../../support/servers/s3-server.ts';
import { add, ask, get } from '../../tickets/calls.ts';

/** A desk whose files are on S3, and whose downloads S3 may answer. */
const parts = new AsyncDisposableStack();
let gateway: Gateway;
let clamd: Awaited<ReturnType<typeof startClamd>>;
beforeAll(async () => {
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'secret' });
  const server = parts.use(await startS3Server());
  clamd = parts.use(await startClamd());
  const endpoint = encodeURIComponent(server.endpoint);
  const BLOBS_URL = `s3://desk/files?endpoint=${endpoint}&region=eu-central-1&presign=1`;
  gateway = parts.use(await startGateway({ env: { ROLES: 'web', BLOBS_URL, CLAMD_URL: clamd.url } }));
});
afterAll(() => parts.disposeAsync());

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const send = (method: string, url: string, headers: Record<string, string>, body: Uint8Array) =>
  fetch(url, { method, headers: { authorization: asOperator, ...headers }, body: new Uint8Array(body) });

test('an upload in parts smaller than S3’s minimum becomes one object, which S3 serves', async () => {
  const bytes = randomBytes(7 * 1024 * 1024);
  const cuts = [0, 1000, 6_000_000, bytes.length];
  const first = await send(
    'POST',
    `${gateway.url}/uploads`,
    {
      'upload-complete': '?0',
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': 'inline; filename="a.txt"',
    },
    bytes.subarray(0, cuts[1]),
  );
  const place = first.headers.get('location')!;
  for (const n of [1, 2]) {
    const answer = await send(
      'PATCH',
      place,
      {
        'content-type': 'application/partial-upload',
        'upload-offset': String(cuts[n]),
        'upload-complete': n === 2 ? '?1' : '?0',
      },
      bytes.subarray(cuts[n], cuts[n + 1]),
    );
    expect(answer.status).toBe(n === 2 ? 201 : 204);
    if (n === 1) continue;
    const { upload, sha256 } = (await answer.json()) as { upload: string; sha256: string };
    expect(sha256).toBe(digestOf(bytes));
    const release = clamd.hold();
    const added = await add(gateway, { attachments: [{ upload }] });
    const { id, downloadUrl } = added.ticketMessage.attachments[0]!;
    await clamd.arrived();
    // What a scanner may still find something in is never handed out by S3.
    const pending = await get(downloadUrl, asOperator, { redirect: 'manual' });
    expect([pending.status, digestOf(new Uint8Array(await pending.arrayBuffer()))]).toEqual([200, sha256]);
    release();
    const node = 'query ($id: ID!) { node(id: $id) { ... on Attachment { scan } } }';
    await eventually(async () => (await ask<{ scan: string }>(gateway, node, { id })).scan !== 'PENDING');
    const redirect = await get(downloadUrl, asOperator, { redirect: 'manual' });
    expect([redirect.status, redirect.headers.get('cache-control')]).toEqual([302, 'private, no-store']);
    const there = new URL(redirect.headers.get('location')!);
    expect(Object.fromEntries(there.searchParams)).toMatchObject({
      'X-Amz-Expires': '60',
      'response-content-type': 'text/plain; charset=utf-8',
      'response-content-disposition': expect.stringMatching(/^attachment; filename="a.txt"/),
    });
    expect(digestOf(new Uint8Array(await (await fetch(there)).arrayBuffer()))).toBe(sha256);
    const head = await get(downloadUrl, asOperator, { method: 'HEAD', redirect: 'manual' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  }
});

test('what may not be seen is nobody’s to be handed out', async () => {
  const added = await add(
    gateway,
    { attachments: [{ file: null }] },
    { files: [new File(['secret'], 'a.txt')] },
  );
  const { id, downloadUrl } = added.ticketMessage.attachments[0]!;
  await ask(
    gateway,
    'mutation ($input: RedactAttachmentInput!) { redactAttachment(input: $input) { __typename } }',
    { input: { attachment: id } },
  );
  expect((await get(downloadUrl, asOperator, { redirect: 'manual' })).status).toBe(404);
});
