import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { blobStores } from '../../src/db/tables.ts';
import { upload } from '../crash/support/upload.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { asOperator, type Gateway, startGateway } from '../support/gateway.ts';
import { sendRaw } from '../support/raw-http.ts';
import { sampled, soaking, testOnce } from '../support/soak.ts';
import { hasTmpfs } from './fault-tools.ts';
import { keysOf, type StoreWorld, storeWorlds } from './stores.ts';

/* What a whole gateway does when files cannot be stored, at each door and with each store. */

const mutation = `mutation ($input: AddTicketMessageInput!) { addTicketMessage(input: $input) {
  __typename ... on AddTicketMessagePayload { ticketMessage { attachments { sha256 downloadUrl } } } } }`;
interface Added {
  addTicketMessage: { ticketMessage: { attachments: { sha256: string; downloadUrl: string }[] } };
}
/** The parts of the gateway's own store, which are the smallest that S3 takes. */
const s3Part = 5 * 1024 * 1024;
const inputOf = (files: number) => ({
  ticket: { ticketId: 1 },
  body: 'With a file',
  attachments: Array.from({ length: files }, () => ({ file: null })),
});
const byGraphql = (gateway: Gateway, bytes: Buffer) =>
  gateway.graphql<Added>(mutation, { input: inputOf(1) }, { files: [bytes] });
const byLegacy = (gateway: Gateway, bytes: Buffer) =>
  gateway.legacy({
    ...{ TicketId: 1, Message: 'With a file' },
    Attachments: [{ FileName: 'a', Data: bytes.toString('base64') }],
  });
const readiness = async (gateway: Gateway) => (await fetch(`${gateway.url}/health/ready`)).json();

async function expectUnavailable(gateway: Gateway, bytes: Buffer, alsoLegacy = true): Promise<void> {
  const before = await gateway.counts();
  const answer = await byGraphql(gateway, bytes);
  expect(answer.status).toBe(503);
  expect(answer.errors?.[0]?.extensions).toMatchObject({ code: 'UNAVAILABLE', retryable: true });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  if (alsoLegacy) {
    const legacy = await byLegacy(gateway, bytes);
    expect(legacy.status).toBe(503);
    expect(Number(legacy.headers.get('retry-after'))).toBeGreaterThan(0);
  }
  expect(await gateway.counts()).toEqual(before);
}

async function expectWorks(gateway: Gateway): Promise<void> {
  const before = await gateway.counts();
  const { data } = await byGraphql(gateway, Buffer.from('graphql'));
  const [file] = data.addTicketMessage.ticketMessage.attachments;
  const download = await fetch(file!.downloadUrl, { headers: { authorization: asOperator } });
  expect(await download.text()).toBe('graphql');
  expect((await byLegacy(gateway, Buffer.from('legacy'))).status).toBe(200);
  expect((await gateway.counts()).attachments).toBe(before.attachments! + 2);
}

describe.each(Object.keys(storeWorlds))('%s', (kind) => {
  const parts = new AsyncDisposableStack();
  let place: StoreWorld;
  let gateway: Gateway;
  beforeAll(async () => {
    place = parts.use(await storeWorlds[kind]!(s3Part));
    gateway = parts.use(await startGateway({ env: { ROLES: 'web', BLOBS_URL: place.url } }));
    // Its first collection writes down that it was.
    await eventually(async () => {
      const identity = await place.store.identity();
      return typeof identity === 'object' && identity.generation === 1;
    });
    await eventually(async () => (await place.names()).join().endsWith('identity'));
  });
  afterAll(() => parts.disposeAsync());

  test('a gateway stores files from both doors there, and reports ready', async () => {
    const before = (await keysOf(place.store)).length;
    await expectWorks(gateway);
    expect(await keysOf(place.store)).toHaveLength(before + 2);
    expect(await readiness(gateway)).toMatchObject({ status: 'ready', blobs: 'ok', collection: 'ok' });
    expect(await gateway.database.database.desk.$count(blobStores)).toBe(1);
  });

  test('a download of a file that is shorter or longer than it was ends with its connection', async () => {
    const before = await keysOf(place.store);
    const { data } = await byGraphql(gateway, randomBytes(1000));
    const [file] = data.addTicketMessage.ticketMessage.attachments;
    const key = (await keysOf(place.store)).find((one) => !before.includes(one));
    const { pathname, search } = new URL(file!.downloadUrl);
    const head = `GET ${pathname}${search} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${asOperator}\r\n`;
    for (const size of [0, 500, 2000])
      for (const range of ['', 'Range: bytes=400-899\r\n']) {
        await place.spoil(key!, Buffer.alloc(size));
        const answer = await sendRaw(gateway.url, `${head}${range}\r\n`);
        const length = range === '' ? 1000 : 500;
        // S3 refuses a range behind the end. A range within a file that is too long has all its bytes.
        if (answer.status === 503) expect([kind, size]).toEqual(['S3', 0]);
        else if (size > 500 && range !== '') expect(answer.body.length).toBe(500);
        else expect([answer.closed, answer.body.length < length]).toEqual([true, true]);
      }
  });

  test.each(sampled([0.5, 0.01, 0.99], 3))(
    'an upload that is cut off at %d leaves neither row nor bytes',
    async (cutAt) => {
      const before = { counts: await gateway.counts(), names: (await place.names()).sort() };
      const files = [{ name: 'a', size: 12_000_000 }];
      const operations = { query: mutation, variables: { input: inputOf(1) } };
      const cut = await upload(gateway.url, { operations, files, authorization: asOperator, cutAt });
      expect(cut.status).toBe(0);
      await expect.poll(async () => (await place.names()).sort()).toEqual(before.names);
      expect(await gateway.counts()).toEqual(before.counts);
      await expectWorks(gateway);
    },
  );

  // The rule is the same for each store; store-owner.test.ts has more of it.
  testOnce(kind, 'S3')(
    'a gateway on another desk’s store serves, and reports that collection is off',
    async () => {
      await using theirs = await storeWorlds[kind]!(s3Part);
      await theirs.store.setIdentity({ id: '6f1e8d2e-5d2d-4f5d-9a39-0d8d1b7f7c11', generation: 3 });
      await using stranger = await startGateway({ env: { ROLES: 'web', BLOBS_URL: theirs.url } });
      await expectWorks(stranger);
      await expect
        .poll(() => readiness(stranger))
        .toMatchObject({ status: 'ready', blobs: 'ok', collection: 'off' });
    },
  );
});

/** Of the gateways that do not start. */
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase('demo');
});
afterAll(() => database[Symbol.asyncDispose]());

describe('S3', () => {
  // s3/faults.test.ts has each step of a store; here one of each kind of file is enough.
  const steps = sampled(
    ['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const,
    2,
  );
  test.each(sampled([500, 503, 'cut'] as const, 3))(
    'that answers %s at any step: both doors answer 503, and recover with it',
    async (fault) => {
      await using place = await storeWorlds.S3!(s3Part);
      const server = place.server!;
      await using gateway = await startGateway({ env: { ROLES: 'web', BLOBS_URL: place.url } });
      for (const step of steps) {
        server.fail(step, fault);
        const isSmall = step === 'PutObject';
        await expectUnavailable(gateway, randomBytes(isSmall ? 4096 : 5_300_000), isSmall || soaking);
        server.mend();
      }
      expect(await keysOf(place.store)).toEqual([]);
      server.fail('PutObject', fault);
      expect(await readiness(gateway)).toMatchObject({
        status: 'not ready',
        blobs: 'failing',
        database: 'ok',
      });
      server.mend();
      await expectWorks(gateway);
    },
  );

  test.each(sampled(['PutObject', 'GetObject', 'ListMultipartUploads', 'DeleteObject'] as const, 2))(
    'that refuses %s fails the start with the name of the setting',
    async (step) => {
      await using place = await storeWorlds.S3!(s3Part);
      place.server!.fail(step, 403);
      const error = await startGateway({ env: { BLOBS_URL: place.url }, database }).catch((e) => e);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error.message).toMatch(/^BLOBS_URL: s3:\/\/desk\/files\/ cannot be used: /);
    },
  );
});

test.each(['/proc/nope', '/dev/null/blobs', `/tmp/${'x'.repeat(256)}`])(
  'a folder that cannot be created (%s) fails the start',
  async (path) => {
    const env = { BLOBS_URL: pathToFileURL(path).href };
    const error = await startGateway({ env, database }).catch((e) => e);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(`BLOBS_URL: ${path} cannot be used: `);
  },
);

test.runIf(hasTmpfs)(
  'on a full disk both doors answer 503, and recover when there is room again',
  async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ticketwire-test-'));
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory]).status).toBe(0);
    try {
      const place = join(directory, 'blobs');
      await using gateway = await startGateway({
        env: { ROLES: 'web', BLOBS_URL: pathToFileURL(place).href },
      });
      await expectUnavailable(gateway, Buffer.alloc(1_500_000));
      await expectWorks(gateway);
      const left = await readdir(place, { recursive: true, withFileTypes: true });
      expect(left.filter((entry) => entry.isFile() && entry.name !== 'identity')).toHaveLength(2);
      const filler = join(directory, 'filler');
      await writeFile(filler, Buffer.alloc(2_000_000)).catch(() => {});
      await expectUnavailable(gateway, randomBytes(5000));
      expect(await readiness(gateway)).toMatchObject({ status: 'not ready', blobs: 'failing' });
      await rm(filler);
      await expectWorks(gateway);
    } finally {
      spawnSync('umount', ['-l', directory]);
      await rm(directory, { recursive: true, force: true });
    }
  },
);

/** The store itself gives up after a minute, which is longer than this test may take. */
const beforeStoreGivesUp = 50_000;

test(
  'a gateway that stops answers a call whose file S3 does not take, and ends',
  async () => {
    await using place = await storeWorlds.S3!(s3Part);
    await using gateway = await startGateway({
      env: { ROLES: 'web', BLOBS_URL: place.url },
      overrides: { stoppingStoreMs: 200 },
    });
    const { server } = place;
    const before = server!.calls.length;
    server!.fail('PutObject', 'hang');
    const answer = byGraphql(gateway, Buffer.from('on its way'));
    await expect.poll(() => server!.calls.slice(before)).toContain('PutObject');
    const ended = gateway.app[Symbol.asyncDispose]();
    const { status, errors } = await answer;
    expect([status, errors?.[0]?.extensions?.code]).toEqual([503, 'UNAVAILABLE']);
    await ended;
  },
  beforeStoreGivesUp,
);
